import { randomBytes } from "node:crypto";
import type { ConnectionOptions } from "node:tls";
import { Redis } from "ioredis";
import { checkLedger } from "../checker.ts";
import type { ClientReport } from "../client-report.ts";
import { measureStalls } from "../measure-stalls.ts";
import { monotonicMs } from "../monotonic-clock.ts";
import { takeFinalData } from "../read-final-data.ts";
import { countOverTime, type Timeline } from "../timeline.ts";
import { type WorkerProgram, WorkloadProcess } from "../workload-process.ts";
import { writesGoOn } from "../writes-go-on.ts";

/** What clients saw while something was done to a stack. */
export interface StackRound {
  readonly clients: readonly ClientReport[];
  /** Longest time in ms in which no client had a write acknowledged. */
  readonly gapMs: number;
  /** From its beginning until everything was well again. */
  readonly seconds: number;
  readonly timeline: Timeline;
}

export interface StackLedgerOptions {
  readonly endpoint: { readonly host: string; readonly port: number };
  readonly password: string;
  /** The password, for the workers. */
  readonly passwordFile: string;
  readonly clients: ReadonlyMap<string, WorkerProgram>;
  /** Commands that each client keeps in flight. Default 8. */
  readonly inFlight?: number;
  /** How to encrypt, for the reader at the end of a round. Default: not at all. */
  readonly tls?: ConnectionOptions | undefined;
}

/** Longer than the proxies hold commands, and than a node needs to start all pods anew. */
const patienceMs = 90_000;

/** Clients that write to a stack's endpoint all the time, and the books about what they were told. */
export class StackLedger {
  readonly #options: StackLedgerOptions;
  readonly #workers: readonly WorkloadProcess[];
  /** No two runs share a key. */
  readonly #id = randomBytes(4).toString("hex");
  #round = 0;

  private constructor(options: StackLedgerOptions) {
    this.#options = options;
    const { endpoint, passwordFile, clients, inFlight } = options;
    this.#workers = [...clients].map(
      ([client, program]) =>
        new WorkloadProcess({
          ...{ client, program, proxy: endpoint, passwordFile },
          ...(inFlight === undefined ? {} : { inFlight }),
        }),
    );
  }

  static async start(options: StackLedgerOptions): Promise<StackLedger> {
    const ledger = new StackLedger(options);
    try {
      await Promise.all(ledger.#workers.map((worker) => worker.ready()));
      ledger.#begin();
      return ledger;
    } catch (error) {
      await ledger.stop();
      throw error;
    }
  }

  /**
   * Does something to the stack while the clients write, and checks the books afterwards.
   *
   * @param work returns when everything is well again.
   */
  async during(work: () => Promise<void>): Promise<StackRound> {
    const round = `stack-${this.#id}-${this.#round}`;
    await writesGoOn(this.#workers, monotonicMs(), patienceMs);
    const beginMs = monotonicMs();
    await work();
    await writesGoOn(this.#workers, monotonicMs(), patienceMs);
    const seconds = (monotonicMs() - beginMs) / 1000;
    const disconnects = this.#workers.flatMap((worker) => worker.disconnects.splice(0));
    this.#begin();
    for (const worker of this.#workers) await worker.drained(round, patienceMs);
    const operations = this.#workers.flatMap((worker) => worker.take(round));
    const { endpoint, password, tls } = this.#options;
    const reader = new Redis({ ...endpoint, password, ...(tls === undefined ? {} : { tls }) });
    reader.on("error", () => undefined);
    try {
      const data = await takeFinalData(reader, round, operations);
      const gapMs = measureStalls(operations, beginMs).withoutWritesMs ?? Number.POSITIVE_INFINITY;
      const timeline = countOverTime(operations, beginMs);
      return { clients: checkLedger({ operations, disconnects }, data), gapMs, seconds, timeline };
    } finally {
      reader.disconnect();
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.stop()));
  }

  #begin(): void {
    this.#round++;
    for (const worker of this.#workers) worker.round(`stack-${this.#id}-${this.#round}`);
  }
}
