import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { UserError } from "../../runtime/user-error.ts";
import type { LocalTopology } from "../local/local-topology.ts";
import type { Target } from "../operate/target.ts";
import type { ActionName, Mark, Marks } from "./console-state.ts";

const endsWithinMs = 10_000;

/** What the page does to the parts of this machine. Each is what `redis-ha chaos` does, too. */
export class LocalFaults implements Marks {
  readonly #local: LocalTopology;
  readonly #target: Target;
  readonly #stopped = new Map<string, Mark>();

  constructor(local: LocalTopology, target: Target) {
    this.#local = local;
    this.#target = target;
  }

  of(name: string): Mark | undefined {
    return this.#local.isRunning(name) ? this.#stopped.get(name) : "ended";
  }

  /** @throws {UserError} when it can't be done to this part now. */
  async act(action: Exclude<ActionName, "hand-over">, name: string): Promise<void> {
    if (action === "restore") return this.#restore(name);
    if (action === "empty") return this.#empty(name);
    if (action === "cut-off") {
      // The loopback can't be cut for one part. Stopped as a whole it answers nobody, and no connection ends: for all
      // others the same.
      this.#local.signal(name, "SIGSTOP");
      this.#stopped.set(name, "cut off");
      return;
    }
    if (this.#kindOf(name) !== "redis") {
      this.#local.signal(name, "SIGKILL");
      return this.#waitForEnd(name);
    }
    const pid = await this.#serverPid(name);
    process.kill(pid, action === "kill" ? "SIGKILL" : "SIGSTOP");
    if (action === "freeze") this.#stopped.set(name, "frozen");
  }

  /** Undoes what was done to a part: lets it go on, or starts it. */
  async #restore(name: string): Promise<void> {
    this.#local.signal(name, "SIGCONT");
    if (this.#stopped.delete(name)) return;
    // One whose server was killed is about to end.
    for (let waited = 0; waited < 1000 && this.#local.isRunning(name); waited += 100) await delay(100);
    if (!this.#local.isRunning(name)) await this.#local.restart(name);
  }

  async #empty(name: string): Promise<void> {
    this.#local.signal(name, "SIGKILL");
    await this.#waitForEnd(name);
    this.#stopped.delete(name);
    const directory = this.#local.stateDirectory(name);
    for (const entry of readdirSync(directory))
      rmSync(join(directory, entry), { recursive: true, force: true });
    await this.#local.restart(name);
  }

  /** Lets everything go on that was stopped: nobody else would. */
  release(): void {
    for (const name of this.#stopped.keys()) this.#local.signal(name, "SIGCONT");
    this.#stopped.clear();
  }

  #kindOf(name: string): string | undefined {
    return this.#local.parts.find((part) => part.name === name)?.kind;
  }

  /** The process of an instance's redis-server; its supervisor is another one, and notices what happens to it. */
  async #serverPid(name: string): Promise<number> {
    const { redis } = await this.#target.observe({ logs: false });
    const seen = redis.find((one) => one.name === name);
    const pid = Number(seen?.info.process_id);
    if (!(pid > 1))
      throw new UserError(`${name} doesn't answer: ${seen?.problem ?? "it isn't there"}. Restore it first.`);
    return pid;
  }

  async #waitForEnd(name: string): Promise<void> {
    const deadline = performance.now() + endsWithinMs;
    while (this.#local.isRunning(name)) {
      if (performance.now() > deadline)
        throw new UserError(`${name} didn't end within ${endsWithinMs / 1000} s.`);
      await delay(20);
    }
  }
}
