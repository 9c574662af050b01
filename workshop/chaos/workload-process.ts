import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import type { Address } from "../../runtime/address.ts";
import { type Disconnect, isWrite, type Operation } from "./history.ts";
import { monotonicMs } from "./monotonic-clock.ts";
import { parseWorkerLine } from "./worker-protocol.ts";

/** How to start a worker. */
export interface WorkerProgram {
  readonly command: string;
  readonly args: readonly string[];
}

export interface WorkloadOptions {
  readonly client: string;
  readonly program: WorkerProgram;
  /** The proxy that it is a client of. */
  readonly proxy: Address;
  readonly passwordFile: string;
  /** Commands that it keeps in flight. Default 8. */
  readonly inFlight?: number;
  /** Pause in ms after each command of each of those. Default 20. */
  readonly pauseMs?: number;
}

/** A client process that writes and reads, and what it saw. */
export class WorkloadProcess {
  readonly client: string;
  readonly proxy: Address;
  readonly disconnects: Disconnect[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #ready = Promise.withResolvers<void>();
  readonly #operations = new Map<string, Operation[]>();
  readonly #drained = new Map<string, number>();
  readonly #errors: string[] = [];
  #problem: string | undefined;
  #stopping = false;
  #lastWriteMs = 0;

  constructor({ client, program, proxy, passwordFile, inFlight = 8, pauseMs = 20 }: WorkloadOptions) {
    this.client = client;
    this.proxy = proxy;
    const { PATH = "", HOME = "", JAVA_HOME } = process.env;
    this.#child = spawn(
      program.command,
      [
        ...program.args,
        ...[
          "--host",
          proxy.host,
          "--port",
          `${proxy.port}`,
          "--client",
          client,
          "--in-flight",
          `${inFlight}`,
          "--pause-ms",
          `${pauseMs}`,
        ],
      ],
      {
        stdio: ["pipe", "pipe", "pipe"],
        // Ctrl-C ends the run after the fault that is under way: until then the clients are needed. When this process is
        // gone, the end of their input ends them.
        detached: true,
        env: { PATH, HOME, ...(JAVA_HOME ? { JAVA_HOME } : {}), REDIS_PASSWORD_FILE: passwordFile },
      },
    );
    const child = this.#child;
    this.#ended = new Promise((resolve) => child.once("close", () => resolve()));
    child.once("error", (error) => this.#fail(error.message));
    child.once("exit", (code, signal) => {
      if (!this.#stopping) this.#fail(`it ended (${signal ?? code}): ${this.#errors.slice(-3).join(" ")}`);
    });
    // A worker that has ended can't be told anything; its exit tells why.
    child.stdin?.on("error", () => undefined);
    if (child.stdout !== null) createInterface(child.stdout).on("line", (line) => this.#take(line));
    if (child.stderr !== null) createInterface(child.stderr).on("line", (line) => this.#errors.push(line));
  }

  /** When the last acknowledged write ended, ms of the monotonic clock; 0 before the first one. */
  get lastWriteMs(): number {
    return this.#lastWriteMs;
  }

  /** @throws {Error} when it isn't connected in time, or ended. */
  async ready(withinMs = 20_000): Promise<void> {
    const timer = setTimeout(() => this.#fail(`not ready within ${withinMs} ms`), withinMs);
    await this.#ready.promise.finally(() => clearTimeout(timer));
  }

  /** Later commands belong to this round. */
  round(name: string): void {
    this.#child.stdin?.write(`round ${name}\n`);
  }

  /**
   * Waits until all commands of a former round have ended.
   *
   * @returns whether they have; if not, some never got an answer.
   * @throws {Error} when the worker has ended, or lost a line.
   */
  async drained(round: string, withinMs: number): Promise<boolean> {
    const deadline = monotonicMs() + withinMs;
    while (!this.#drained.has(round)) {
      if (this.#problem !== undefined) throw new Error(this.#problem);
      if (monotonicMs() > deadline) return false;
      await delay(20);
    }
    const told = this.#operations.get(round)?.length ?? 0;
    if (told !== this.#drained.get(round)) {
      throw new Error(
        `${this.client} told ${told} of ${this.#drained.get(round)} commands of round ${round}`,
      );
    }
    return true;
  }

  /** What it told of a round, and forgets it. */
  take(round: string): Operation[] {
    const operations = this.#operations.get(round) ?? [];
    this.#operations.delete(round);
    return operations;
  }

  /** What it told of a round up to now. */
  operations(round: string): readonly Operation[] {
    return this.#operations.get(round) ?? [];
  }

  /** Lets it finish, tell what is still open, and end; after 8 s by force. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#child.stdin?.write("stop\n");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 8000);
    await this.#ended;
    clearTimeout(timer);
  }

  #take(line: string): void {
    try {
      const message = parseWorkerLine(line);
      const { client } = this;
      switch (message[0]) {
        case "ready":
          this.#ready.resolve();
          return;
        case "disconnect":
          this.disconnects.push({ client, atMs: message[1], reason: message[2] });
          return;
        case "drained":
          this.#drained.set(message[1], message[2]);
          return;
        case "op": {
          const [, round, command, id, sentMs, endedMs, kind, text] = message;
          const outcome =
            kind === "acknowledged" ? { kind, value: text } : kind === "error" ? { kind, text } : { kind };
          const operations = this.#operations.get(round) ?? [];
          this.#operations.set(round, operations);
          operations.push({ client, command, id, sentMs, endedMs, outcome });
          if (kind === "acknowledged" && isWrite({ command })) this.#lastWriteMs = endedMs;
        }
      }
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error));
    }
  }

  #fail(problem: string): void {
    this.#problem ??= `worker ${this.client}: ${problem}`;
    const error = new Error(this.#problem);
    this.#ready.promise.catch(() => undefined);
    this.#ready.reject(error);
  }
}
