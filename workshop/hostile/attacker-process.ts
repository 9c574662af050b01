import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { AttackerOptions, AttackTarget, AttackVolume } from "./attacker.ts";

/** An attacker in a process of its own. */
export class AttackerProcess {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(options: AttackerOptions): Promise<AttackerProcess> {
    const child = fork(fileURLToPath(new URL("attacker-main.ts", import.meta.url)));
    await once(child, "message");
    child.send({ options });
    return new AttackerProcess(child);
  }

  /**
   * Attacks the target for so long; or sends the same to a sink.
   *
   * @throws {Error} when the attacker itself has failed.
   */
  async run(target: AttackTarget | "sink", ms: number): Promise<AttackVolume> {
    const { promise, resolve, reject } = Promise.withResolvers<AttackVolume>();
    const exited = (code: number | null): void => reject(new Error(`the attacker has ended (${code})`));
    this.#child.once("exit", exited);
    this.#child.once("message", (volume) => resolve(volume as AttackVolume));
    this.#child.send({ target, ms });
    try {
      return await promise;
    } finally {
      this.#child.off("exit", exited);
    }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exit;
  }
}
