import type { ConnectionOptions } from "node:tls";
import { Redis } from "ioredis";
import { type ClientReport, checkLedger } from "../../chaos/checker.ts";
import { measureStalls } from "../../chaos/measure-stalls.ts";
import { monotonicMs } from "../../chaos/monotonic-clock.ts";
import { takeFinalData } from "../../chaos/read-final-data.ts";
import type { WorkerProgram } from "../../chaos/workload-process.ts";
import { WorkloadProcess } from "../../chaos/workload-process.ts";
import { writesGoOn } from "../../chaos/writes-go-on.ts";

/** What clients saw of one rollout. */
export interface RolloutReport {
  readonly clients: readonly ClientReport[];
  /** Longest time in ms in which no client had a write acknowledged. */
  readonly gapMs: number;
  /** From the beginning of the rollout until everything was well again. */
  readonly seconds: number;
}

/** What a {@link RolloutLedger} is told. */
export interface RolloutLedgerOptions {
  readonly endpoint: { readonly host: string; readonly port: number };
  readonly password: string;
  /** The password, for the workers. */
  readonly passwordFile: string;
  readonly clients: ReadonlyMap<string, WorkerProgram>;
  /** How to encrypt, for the reader at the end of a round. */
  readonly tls: ConnectionOptions;
}

/** Longer than the proxies hold commands, and than a node needs to start all pods anew. */
const patienceMs = 90_000;

/** Clients that write to a stack's endpoint all the time, and the books about what they were told. */
export class RolloutLedger {
  readonly #options: RolloutLedgerOptions;
  readonly #workers: readonly WorkloadProcess[];
  #round = 0;

  private constructor(options: RolloutLedgerOptions) {
    this.#options = options;
    const { endpoint, passwordFile, clients } = options;
    this.#workers = [...clients].map(
      ([client, program]) => new WorkloadProcess({ client, program, proxy: endpoint, passwordFile }),
    );
  }

  static async start(options: RolloutLedgerOptions): Promise<RolloutLedger> {
    const ledger = new RolloutLedger(options);
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
   * @param rollout returns when everything is well again.
   */
  async during(rollout: () => Promise<void>): Promise<RolloutReport> {
    const round = `rollout-${this.#round}`;
    await writesGoOn(this.#workers, monotonicMs(), patienceMs);
    const beginMs = monotonicMs();
    await rollout();
    await writesGoOn(this.#workers, monotonicMs(), patienceMs);
    const seconds = (monotonicMs() - beginMs) / 1000;
    const disconnects = this.#workers.flatMap((worker) => worker.disconnects.splice(0));
    this.#begin();
    for (const worker of this.#workers) await worker.drained(round, patienceMs);
    const operations = this.#workers.flatMap((worker) => worker.take(round));
    const { endpoint, password, tls } = this.#options;
    const reader = new Redis({ ...endpoint, password, tls });
    reader.on("error", () => undefined);
    try {
      const data = await takeFinalData(reader, round, operations);
      const gapMs = measureStalls(operations, beginMs).withoutWritesMs ?? Number.POSITIVE_INFINITY;
      return { clients: checkLedger({ operations, disconnects }, data), gapMs, seconds };
    } finally {
      reader.disconnect();
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.stop()));
  }

  #begin(): void {
    this.#round++;
    for (const worker of this.#workers) worker.round(`rollout-${this.#round}`);
  }
}

/** Whatever no rollout may do to a client, each in a sentence. */
export function brokenPromises({ clients }: RolloutReport, allowedErrors: readonly string[]): string[] {
  return clients.flatMap((report) => {
    const wrong = Object.entries({
      "executed twice": report.duplicates,
      "acknowledged and lost": report.lost,
      "refused and yet executed": report.refusedButExecuted,
      "in the wrong order": report.reordered,
      wrong: report.wrong,
    }).filter(([, items]) => items.length > 0);
    const errors = Object.entries(report.errors).filter(([name]) => !allowedErrors.includes(name));
    return [
      ...wrong.map(([what, items]) => `${items.length} ${what}, such as ${JSON.stringify(items[0])}`),
      ...errors.map(([name, count]) => `${count} × ${name}`),
      ...(report.open > 0 ? [`${report.open} commands never got an answer`] : []),
      ...(report.acknowledged === 0 ? ["no command was acknowledged"] : []),
    ].map((text) => `${report.client}: ${text}`);
  });
}

/** One line of a table. */
export function describeRollout(name: string, { clients, gapMs, seconds }: RolloutReport): string {
  const sum = (count: (report: ClientReport) => number): number =>
    clients.reduce((total, report) => total + count(report), 0);
  const errors = new Map<string, number>();
  for (const report of clients) {
    for (const [text, count] of Object.entries(report.errors))
      errors.set(text, (errors.get(text) ?? 0) + count);
  }
  const told = [...errors].map(([text, count]) => `${count} × ${text}`).join(", ") || "none";
  return `| ${name} | ${seconds.toFixed(0)} s | ${Math.round(gapMs)} ms | ${sum((r) => r.acknowledged)} | ${sum((r) => r.lost.length)} | ${sum((r) => r.duplicates.length)} | ${told} | ${sum((r) => r.disconnects)} |`;
}
