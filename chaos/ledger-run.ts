import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import type { LocalTopology } from "../local/local-topology.ts";
import type { PartNetwork } from "../local/part-network.ts";
import { type Address, sameAddress } from "../quorum/address.ts";
import { messageOf } from "../runtime/log.ts";
import { checkRegisters, registersOf } from "./check-registers.ts";
import { checkLedger } from "./checker.ts";
import { ClusterControl } from "./cluster-control.ts";
import { describeEvents } from "./describe-events.ts";
import { describeFailures } from "./describe-failures.ts";
import { excuseLateWrites } from "./excuse-late-writes.ts";
import { judgeRound, judgeTimes } from "./expectations.ts";
import { announced, type Fault, type FaultContext } from "./faults/fault.ts";
import { type Execution, findStaleWrites } from "./find-stale-writes.ts";
import type { History, Operation } from "./history.ts";
import { isIn, lossPeriods } from "./loss-periods.ts";
import { announcementToWrite, measureStalls, writeKey } from "./measure-stalls.ts";
import { monotonicMs } from "./monotonic-clock.ts";
import { probeMaster } from "./probe-master.ts";
import { readFinalData, removeLedger } from "./read-final-data.ts";
import type { RoundReport } from "./round-report.ts";
import type { Random } from "./seeded-random.ts";
import { SentinelAnnouncements } from "./sentinel-announcements.ts";
import { countOverTime } from "./timeline.ts";
import { traceDuplicates } from "./trace-duplicates.ts";
import { waitUntil } from "./wait-until.ts";
import { type WorkerProgram, WorkloadProcess } from "./workload-process.ts";
import { WriteMonitor } from "./write-monitor.ts";

/** What a {@link LedgerRun} is told. */
export interface LedgerRunOptions {
  /** Runs, and is well. */
  readonly topology: LocalTopology;
  /** Client name → its worker. Each proxy gets one of each: `ioredis`, and `ioredis@2` at the second proxy. */
  readonly clients: ReadonlyMap<string, WorkerProgram>;
  readonly random: Random;
  /** The one that the topology runs in. */
  readonly network?: PartNetwork;
  readonly say?: (line: string) => void;
  /** Commands that each client keeps in flight, and the pause in ms after each. Defaults 8 and 20. */
  readonly inFlight?: number;
  readonly pauseMs?: number;
}

/** A fault that is over, and what was seen of it. */
interface InjectedFault {
  readonly fault: Fault;
  readonly context: FaultContext;
  readonly round: number;
  readonly faultAtMs: number;
  /** When all was well again, and every client wrote. */
  readonly recoveredMs: number;
  readonly history: History;
  readonly broken: readonly string[];
  /** Clients whose proxy was cut off. */
  readonly cutOff: ReadonlySet<string>;
}

/** Writes go on this long before a fault, in ms, and a random part of it longer. */
const calmMs = 400;
/** Longer than the proxy holds commands. */
const patienceMs = 30_000;
const recoverWithinMs = 40_000;

/** Clients that write to a topology all the time, one fault after the other, and the books about it. */
export class LedgerRun {
  readonly #options: LedgerRunOptions;
  readonly #id = randomBytes(4).toString("hex");
  readonly #cluster: ClusterControl;
  readonly #announcements: SentinelAnnouncements;
  readonly #monitor: WriteMonitor;
  readonly #workers: readonly WorkloadProcess[];
  #executions: Execution[] = [];
  #round = 0;
  #masterBefore: Address | undefined;
  /** When the announced master of this round took a write that came to it directly. */
  #acceptedAt: Promise<number | undefined> | undefined;

  private constructor(options: LedgerRunOptions, cluster: ClusterControl) {
    this.#options = options;
    this.#cluster = cluster;
    const { topology, clients, inFlight, pauseMs } = options;
    const { password, outputs, proxyAddresses } = topology;
    this.#announcements = new SentinelAnnouncements({
      sentinels: cluster.sentinels.map(({ address }) => address),
      masterName: topology.settings.sentinel.masterName,
      password,
      onAnnouncement: ({ master }) => this.#probe(master),
    });
    this.#monitor = new WriteMonitor({
      instances: cluster.instances.map(({ address }) => address),
      password,
      onExecution: (execution) => this.#executions.push(execution),
    });
    const pairs = proxyAddresses.flatMap((proxy, i) =>
      [...clients].map(([name, program]) => ({
        client: i === 0 ? name : `${name}@${i + 1}`,
        program,
        proxy,
      })),
    );
    this.#workers = pairs.map(
      (pair) =>
        new WorkloadProcess({
          ...pair,
          passwordFile: String(outputs.credentialsFile),
          ...(inFlight === undefined ? {} : { inFlight }),
          ...(pauseMs === undefined ? {} : { pauseMs }),
        }),
    );
  }

  /** Starts the clients and waits until they write. @throws {Error} when one of them can't. */
  static async start(options: LedgerRunOptions): Promise<LedgerRun> {
    const run = new LedgerRun(options, await ClusterControl.of(options.topology));
    try {
      await Promise.all([run.#announcements.ready(), ...run.#workers.map((worker) => worker.ready())]);
      run.#begin();
      return run;
    } catch (error) {
      await run.stop();
      throw error;
    }
  }

  /**
   * Injects one fault under load, waits until all is well again and checks the books.
   *
   * @throws {Error} when there was no master to begin with, or none came back: nothing can be said about later rounds then.
   */
  async inject(fault: Fault): Promise<RoundReport> {
    const { topology, random, say = () => undefined } = this.#options;
    const round = this.#round;
    const name = this.#name(round);
    const beginMs = monotonicMs();
    await this.#writesGoOn(beginMs);
    await delay(calmMs + random() * calmMs);
    const broken: string[] = [];
    const cutOff = new Set<string>();
    const context: FaultContext = {
      topology,
      cluster: this.#cluster,
      announcements: this.#announcements,
      master: await this.#cluster.master(),
      random,
      say,
      network: this.#options.network,
      cutOff: (proxy) => {
        for (const worker of this.#workers)
          if (sameAddress(worker.proxy, proxy.address)) cutOff.add(worker.client);
      },
      broken: (text) => broken.push(text),
    };
    this.#masterBefore = context.master.address;
    this.#acceptedAt = undefined;
    let faultAtMs = monotonicMs();
    try {
      faultAtMs = await fault.inject(context);
      if (fault.failover === true) await announced(context, faultAtMs);
    } catch (error) {
      // What follows shows whether it comes back all the same: then the books are worth reading.
      broken.push(messageOf(error));
    }
    await this.#options.network?.cut([]);
    await this.#cluster.recover(recoverWithinMs);
    await this.#writesGoOn(monotonicMs());
    const recoveredMs = monotonicMs();
    const disconnects = this.#workers.flatMap((worker) => worker.disconnects.splice(0));
    this.#begin();
    const operations = await this.#collect(name);
    const history = { operations, disconnects };
    return this.#report({ fault, context, round, faultAtMs, history, recoveredMs, broken, cutOff });
  }

  /** Ends the clients. The topology goes on. */
  async stop(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.stop()));
    this.#monitor.stop();
    this.#announcements.close();
    this.#cluster.close();
  }

  #begin(): void {
    this.#round++;
    for (const worker of this.#workers) worker.round(this.#name(this.#round));
  }

  #name(round: number): string {
    return `${this.#id}-${round}`;
  }

  /** Every client has had a write acknowledged since then. */
  async #writesGoOn(sinceMs: number): Promise<void> {
    await waitUntil(
      "every client writes",
      () => {
        const stuck = this.#workers.filter(({ lastWriteMs }) => lastWriteMs < sinceMs);
        if (stuck.length === 0) return true;
        throw new Error(`not ${stuck.map(({ client }) => client).join(", ")}`);
      },
      patienceMs,
    );
  }

  /** All operations of a round that is over; those of a worker that has left some open without their end. */
  async #collect(name: string): Promise<Operation[]> {
    const drained = await Promise.all(this.#workers.map((worker) => worker.drained(name, patienceMs)));
    if (drained.includes(false)) {
      // Only a worker that ends tells what is still open. There is no going on after that.
      await Promise.all(this.#workers.map((worker) => worker.stop()));
    }
    return this.#workers.flatMap((worker) => worker.take(name));
  }

  async #report(injected: InjectedFault): Promise<RoundReport> {
    const { fault, context, round, faultAtMs, recoveredMs, history, broken, cutOff } = injected;
    const { operations, disconnects } = history;
    const name = this.#name(round);
    const sets = new Map(
      this.#workers.map(({ client }) => [
        client,
        operations
          .filter((operation) => operation.client === client && operation.command === "SET")
          .map(({ id }) => id),
      ]),
    );
    const data = await this.#onMaster(async (master) => {
      const found = await readFinalData(master, name, sets);
      await removeLedger(master, name, sets, registersOf(operations));
      return found;
    });
    const executions = this.#executions.filter((execution) => execution.round === name);
    this.#executions = this.#executions.filter((execution) => execution.round !== name);
    const announcements = this.#announcements.announcedSince(faultAtMs);
    const first = this.#announcements.firstSince(faultAtMs, context.master.address);
    const acceptedAtMs = await this.#acceptedAt;
    const elsewhere = new Set(
      executions.filter(({ instance }) => instance.port !== first?.master.port).map(writeKey),
    );
    const mayLose = lossPeriods(fault.allows, cutOff, faultAtMs, recoveredMs, this.#workers);
    const { stale, late } = excuseLateWrites(
      findStaleWrites(executions, announcements).filter(
        (write) => !isIn(mayLose.get(write.client), write.atMs),
      ),
      operations,
      faultAtMs,
    );
    const stalls = measureStalls(operations, faultAtMs);
    const gaps = Object.entries(stalls.writeGapMs).filter(([client]) => !cutOff.has(client));
    const report = {
      round,
      fault: fault.name,
      failover: fault.failover === "maybe" ? first !== undefined : fault.failover,
      falseFailover: fault.failover === false && first !== undefined,
      gapMs: gaps.length === 0 ? undefined : Math.max(...gaps.map(([, ms]) => ms)),
      gapBoundMs: fault.gapMs,
      timeline: countOverTime(
        operations.filter(({ client }) => !cutOff.has(client)),
        faultAtMs,
      ),
      events: describeEvents(this.#announcements.since(faultAtMs), faultAtMs),
      cutOff: [...cutOff],
      broken,
      clients: checkLedger(history, data, mayLose),
      stalls,
      registers: checkRegisters(operations, { beginMs: faultAtMs, endMs: recoveredMs }),
      announcedAfterMs: first && first.atMs - faultAtMs,
      announcedBy: first?.channel,
      announcementToAcceptMs: first && acceptedAtMs && acceptedAtMs - first.atMs,
      announcementToWriteMs: first && announcementToWrite(operations, first.atMs, elsewhere),
      staleWrites: stale.map(
        (write) =>
          `${writeKey(write)} on port ${write.instance.port}, ${Math.round(write.atMs - (first?.atMs ?? 0))} ms late`,
      ),
      lateWrites: late.length,
      duplicateTraces: traceDuplicates(executions, history, faultAtMs),
      failures: describeFailures(operations, faultAtMs),
      disconnects: disconnects.map(({ client, reason }) => `${client}: ${reason}`),
    };
    return { ...report, violations: judgeRound(report, fault), slow: judgeTimes(report, fault) };
  }

  /** Finds out from when on the announced master itself takes writes. */
  #probe(announcedMaster: Address): void {
    const before = this.#masterBefore;
    if (before === undefined || sameAddress(before, announcedMaster)) return;
    this.#acceptedAt ??= probeMaster(announcedMaster, this.#options.topology.password);
  }

  /** A connection of its own to the master itself, for bulk reads. */
  async #onMaster<T>(work: (master: Redis) => Promise<T>): Promise<T> {
    const { address } = await this.#cluster.master();
    const master = new Redis({
      ...address,
      password: this.#options.topology.password,
      disableClientInfo: true,
    });
    // A lost connection fails the command that is waited for.
    master.on("error", () => undefined);
    try {
      return await work(master);
    } finally {
      master.disconnect();
    }
  }
}
