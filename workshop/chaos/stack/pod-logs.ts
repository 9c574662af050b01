import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { RunningStack } from "./running-stack.ts";

/** Milliseconds between two looks for new pods: a container's log can be read from its beginning as long as its pod is there. */
const lookEveryMs = 1000;
/** A pod whose container doesn't run yet has no log, and a container that is started again has a new one: each is asked for so often. */
const attempts = 60;

/** Keeps what every container of a stack logs, since nobody can ask a pod that is gone why something was lost. */
export class PodLogs {
  readonly #stack: RunningStack;
  readonly #directory: string;
  readonly #asked = new Map<string, number>();
  readonly #running = new Map<string, ChildProcess>();
  readonly #stopping = new AbortController();
  readonly #looking: Promise<void>;

  constructor(stack: RunningStack) {
    this.#stack = stack;
    this.#directory = mkdtempSync(join(tmpdir(), `redis-ha-logs-${stack.namespace}-`));
    this.#looking = this.#look();
  }

  /** @param wanted a promise was broken. @returns the directory with a file for each pod; undefined: they weren't wanted, and are gone. */
  async stop(wanted: boolean): Promise<string | undefined> {
    this.#stopping.abort();
    await this.#looking;
    const ends = [...this.#running.values()].map((process) => once(process, "close"));
    for (const process of this.#running.values()) process.kill();
    await Promise.all(ends);
    if (wanted) return this.#directory;
    rmSync(this.#directory, { recursive: true });
    return undefined;
  }

  async #look(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      // A cluster that doesn't answer is what the round itself finds out.
      const names = await this.#stack.kubectl("get", "pod", "--output", "name").catch(() => "");
      if (!signal.aborted) for (const name of names.split("\n")) this.#follow(name.replace("pod/", ""));
      await delay(lookEveryMs, undefined, { signal }).catch(() => undefined);
    }
  }

  #follow(pod: string): void {
    const asked = this.#asked.get(pod) ?? 0;
    if (pod === "" || this.#running.has(pod) || asked >= attempts) return;
    this.#asked.set(pod, asked + 1);
    const file = join(this.#directory, `${pod}.log`);
    // From the end of what it has already: a container that is started again has written nothing before.
    const since = asked === 0 ? [] : ["--since=2s"];
    const process = this.#stack.kubectlInto(
      file,
      ...["logs", "--follow", "--all-containers", "--prefix", "--timestamps", ...since, pod],
    );
    this.#running.set(pod, process);
    process.on("close", () => this.#running.delete(pod));
    process.on("error", () => this.#running.delete(pod));
  }
}
