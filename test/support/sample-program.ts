import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { z } from "zod";

const line = z.discriminatedUnion("event", [
  z.object({ event: z.literal("ready") }),
  z.object({
    event: z.literal("written"),
    command: z.enum(["INCR", "RPUSH"]),
    id: z.string(),
    value: z.number(),
  }),
  z.object({
    event: z.literal("error"),
    command: z.enum(["INCR", "RPUSH"]),
    id: z.string(),
    message: z.string(),
  }),
  z.object({ event: z.literal("received"), message: z.string() }),
  z.object({ event: z.literal("disconnected"), reason: z.string().default("") }),
  z.object({ event: z.literal("stopped") }),
]);

/** What a program of examples/ tells while it runs through a failover. */
export type SampleLine = z.infer<typeof line>;

/** A program of examples/ with `--run-through-failover`. */
export class SampleProgram {
  readonly lines: SampleLine[] = [];
  /** Longest time in ms between two acknowledged writes. */
  longestStallMs = 0;
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  readonly #noise: string[] = [];
  #lastWriteMs: number | undefined;
  #problem: string | undefined;

  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    const child = spawn(command, [...args, "--run-through-failover"], { stdio: "pipe", env });
    this.#child = child;
    this.#closed = once(child, "close");
    // A program that has ended can't be told anything.
    child.stdin.on("error", () => undefined);
    createInterface(child.stdout).on("line", (text) => this.#take(text));
    createInterface(child.stderr).on("line", (text) => this.#noise.push(text));
  }

  /** @throws {Error} with what it said when it has ended. */
  get pid(): number {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid !== undefined && exitCode === null && signalCode === null && this.#problem === undefined)
      return pid;
    throw new Error(this.#describeEnd());
  }

  count(event: SampleLine["event"]): number {
    return this.lines.filter((told) => told.event === event).length;
  }

  /**
   * Closes its input, upon which it ends its writes and itself.
   *
   * @throws {Error} when it hasn't ended in time, or not by itself.
   */
  async stop(withinMs = 10_000): Promise<void> {
    this.#child.stdin?.end();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), withinMs);
    await this.#closed.finally(() => clearTimeout(timer));
    if (this.#child.exitCode !== 0 || this.count("stopped") !== 1 || this.#problem !== undefined) {
      throw new Error(this.#describeEnd());
    }
  }

  #describeEnd(): string {
    const { exitCode, signalCode } = this.#child;
    return `${this.#problem ?? `it ended with ${signalCode ?? exitCode}`}: ${this.#noise.slice(-10).join("\n")}`;
  }

  #take(text: string): void {
    let told: SampleLine;
    try {
      told = line.parse(JSON.parse(text));
    } catch {
      this.#problem ??= `it wrote '${text.slice(0, 200)}'`;
      return;
    }
    this.lines.push(told);
    if (told.event !== "written") return;
    const now = performance.now();
    this.longestStallMs = Math.max(this.longestStallMs, now - (this.#lastWriteMs ?? now));
    this.#lastWriteMs = now;
  }
}
