import assert from "node:assert/strict";
import { Redis } from "ioredis";
import type { LocalTopology } from "../../cli/local/local-topology.ts";
import { eventually } from "./eventually.ts";
import { type FinalData, judgeWrites } from "./judge-writes.ts";
import { SampleProgram } from "./sample-program.ts";
import { tcpConnections } from "./tcp-connections.ts";

/** How to start one program, and where it writes. */
export interface FailoverProgram {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** What its keys and its channel begin with; nobody else's do. */
  readonly prefix: string;
  /** The time in ms after which the client library itself gives a command up; then it closes its connection. */
  readonly patienceMs: number;
}

/** What ends the master's reign. */
export interface FailoverCause {
  /** Begins it. */
  inflict(local: LocalTopology, master: string): void | Promise<void>;
  /** Whether commands in flight may be answered with UNCERTAIN. */
  readonly uncertain: boolean;
}

/** What became of one program. */
export interface FailoverOutcome {
  /** What it should not have seen, and what the Redis should not hold. */
  readonly wrong: readonly string[];
  /** For people. */
  readonly summary: string;
}

/** Commands before the fault, and after it, that each program needs. */
const enough = 20;
const uncertain = /^(\w*Error: )?UNCERTAIN /;
const gaveUp = /time(d )?[ -]?out/i;

/**
 * Starts the programs, ends the master's reign while all of them write, and waits until all of them write again.
 *
 * @returns for each program what was wrong.
 * @throws {Error} when there is no other master in time.
 */
export async function runThroughFailover<Name extends string>(
  programs: ReadonlyMap<Name, FailoverProgram>,
  local: LocalTopology,
  cause: FailoverCause,
): Promise<Map<Name, FailoverOutcome>> {
  const port = Number(local.outputs.proxyPort);
  const runs = [...programs].map(([name, program]) => new ClientRun(name, program, port));
  const observer = new Redis({ port, password: local.password });
  try {
    await Promise.all(runs.map((run) => run.writes("before the fault")));
    for (const run of runs) run.rememberConnections();
    const master = await masterName(local);
    await cause.inflict(local, master);
    await eventually(async () => assert.notEqual(await masterName(local), master), { withinMs: 10_000 });
    await Promise.all(runs.map((run) => run.writes("after the failover")));
    await Promise.all(runs.map((run) => run.hears(observer)));
    for (const run of runs) run.compareConnections();
    await Promise.all(runs.map((run) => run.stop()));
    const outcomes = new Map<Name, FailoverOutcome>();
    for (const run of runs) {
      const others = runs.filter((other) => other !== run).map(({ longestStallMs }) => longestStallMs);
      outcomes.set(run.name, await run.judge(observer, cause, Math.max(0, ...others)));
    }
    return outcomes;
  } finally {
    observer.disconnect();
    await Promise.all(runs.map((run) => run.stop()));
  }
}

async function masterName(local: LocalTopology): Promise<string> {
  const { master, parts } = await local.status();
  const part = parts.find(({ address, name }) => address === master && name.startsWith("redis-instance"));
  assert.ok(part, `no instance has the master's address '${master}'`);
  return part.name;
}

/** One program on its way. What goes wrong is collected: the others go on. */
class ClientRun<Name extends string> {
  readonly name: Name;
  readonly #program: FailoverProgram;
  readonly #sample: SampleProgram;
  readonly #port: number;
  readonly #wrong: string[] = [];
  #connections: ReadonlySet<string> | undefined;
  #closed = 0;
  #stopped: Promise<void> | undefined;

  constructor(name: Name, program: FailoverProgram, port: number) {
    this.name = name;
    this.#program = program;
    this.#port = port;
    this.#sample = new SampleProgram(
      program.command,
      [...program.args, "--prefix", program.prefix],
      program.env,
    );
  }

  get longestStallMs(): number {
    return this.#sample.longestStallMs;
  }

  /** Waits for writes that are acknowledged from now on. */
  async writes(when: string): Promise<void> {
    const before = this.#sample.count("written");
    await this.#expect(async () => {
      assert.ok(this.#sample.pid);
      const count = this.#sample.count("written") - before;
      assert.ok(count >= enough, `${count} writes ${when}`);
    });
  }

  /** Waits until a message reaches its subscription. */
  async hears(publisher: Redis): Promise<void> {
    await this.#expect(async () => {
      await publisher.publish(`${this.#program.prefix}:channel`, "after the failover");
      assert.ok(this.#sample.count("received") > 0, "its subscription is gone");
    });
  }

  rememberConnections(): void {
    this.#connections = tcpConnections(this.#sample.pid, this.#port);
  }

  compareConnections(): void {
    const now = tcpConnections(this.#sample.pid, this.#port) ?? new Set();
    this.#closed = [...(this.#connections ?? [])].filter((socket) => !now.has(socket)).length;
  }

  async stop(): Promise<void> {
    this.#stopped ??= this.#sample.stop().catch((error: Error) => {
      this.#wrong.push(error.message);
    });
    return this.#stopped;
  }

  /** @param othersStallMs The longest time in which another client had no acknowledged write. */
  async judge(redis: Redis, cause: FailoverCause, othersStallMs: number): Promise<FailoverOutcome> {
    const { lines } = this.#sample;
    const impatient = othersStallMs >= this.#program.patienceMs;
    const excused = (message: string): boolean =>
      (cause.uncertain && uncertain.test(message)) || (impatient && gaveUp.test(message));
    for (const line of lines) {
      if (line.event !== "error" || excused(line.message)) continue;
      this.#wrong.push(`${line.command} ${line.id} failed: ${line.message}`);
    }
    const told = this.#sample.count("disconnected");
    if (told > 0) this.#wrong.push(`it was told of ${told} lost connections`);
    if (this.#closed > 0 && !impatient) this.#wrong.push(`${this.#closed} of its connections were closed`);
    const unknown = (message: string): boolean => uncertain.test(message) || gaveUp.test(message);
    this.#wrong.push(...judgeWrites(lines, await this.#finalData(redis), unknown));
    const [written, errors] = [this.#sample.count("written"), this.#sample.count("error")];
    const summary = `${written} writes, ${errors} errors, stall ${Math.round(this.longestStallMs)} ms`;
    return { wrong: this.#wrong, summary };
  }

  async #finalData(redis: Redis): Promise<FinalData> {
    const { prefix } = this.#program;
    const counter = Number(await redis.get(`${prefix}:counter`));
    return { counter, list: await redis.lrange(`${prefix}:list`, 0, -1) };
  }

  async #expect(probe: () => Promise<void>): Promise<void> {
    await eventually(probe, { withinMs: 15_000 }).catch((error: Error) => this.#wrong.push(error.message));
  }
}
