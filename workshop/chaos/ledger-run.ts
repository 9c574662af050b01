import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import type { LocalTopology } from "../../cli/local/local-topology.ts";
import type { PartNetwork } from "../../cli/local/part-network.ts";
import { type Address, sameAddress } from "../../runtime/address.ts";
import { messageOf } from "../../runtime/log.ts";
import { ClusterControl } from "./cluster-control.ts";
import { describeRound, type RoundRecord } from "./describe-round.ts";
import { announced, type DurabilityMode, type Fault, type FaultContext } from "./faults/fault.ts";
import type { Execution } from "./find-stale-writes.ts";
import type { Operation } from "./history.ts";
import { monotonicMs } from "./monotonic-clock.ts";
import { observer } from "./observer.ts";
import { probeMaster } from "./probe-master.ts";
import { takeFinalData } from "./read-final-data.ts";
import type { RoundReport } from "./round-report.ts";
import type { Random } from "./seeded-random.ts";
import { SentinelAnnouncements } from "./sentinel-announcements.ts";
import { type WorkerProgram, WorkloadProcess } from "./workload-process.ts";
import type { KeepHistory } from "./write-histories.ts";
import { WriteMonitor } from "./write-monitor.ts";
import { writesGoOn } from "./writes-go-on.ts";

export interface LedgerRunOptions {
  /** Runs, and is well. */
  readonly topology: LocalTopology;
  /** Client name → its worker. Each proxy gets one of each: `ioredis`, and `ioredis@2` at the second proxy. */
  readonly clients: ReadonlyMap<string, WorkerProgram>;
  readonly random: Random;
  /** What the topology is set to. Default `async`. */
  readonly durability?: DurabilityMode;
  /** The one that the topology runs in. */
  readonly network?: PartNetwork;
  readonly say?: (line: string) => void;
  /** Gets each round's operations. */
  readonly keepHistory?: KeepHistory | undefined;
  /** Commands that each client keeps in flight, and the pause in ms after each. Defaults 8 and 20. */
  readonly inFlight?: number;
  readonly pauseMs?: number;
}

/** A fault that is over, and what this harness alone knows of it. */
type InjectedFault = Omit<
  RoundRecord,
  "data" | "durability" | "executions" | "events" | "announcements" | "first" | "acceptedAtMs"
> & {
  readonly context: FaultContext;
};

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
    const { outputs, proxyAddresses } = topology;
    this.#announcements = new SentinelAnnouncements({
      sentinels: cluster.sentinels.map(({ address }) => address),
      masterName: topology.settings.sentinel.masterName,
      ...topology.loginOf("exporter"),
      onAnnouncement: ({ master }) => this.#probe(master),
    });
    this.#monitor = new WriteMonitor({
      instances: cluster.instances.map(({ address }) => address),
      ...topology.loginOf(observer),
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
    const run = new LedgerRun(options, await ClusterControl.of(options.topology, observer));
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
    await writesGoOn(this.#workers, beginMs, patienceMs);
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
    await writesGoOn(this.#workers, monotonicMs(), patienceMs);
    const recoveredMs = monotonicMs();
    const disconnects = this.#workers.flatMap((worker) => worker.disconnects.splice(0));
    this.#begin();
    const operations = await this.#collect(name);
    this.#options.keepHistory?.(round, fault.name, operations);
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
    const { context, round, faultAtMs, history } = injected;
    const name = this.#name(round);
    const data = await this.#onMaster((master) => takeFinalData(master, name, history.operations));
    const executions = this.#executions.filter((execution) => execution.round === name);
    this.#executions = this.#executions.filter((execution) => execution.round !== name);
    return describeRound({
      ...injected,
      durability: this.#options.durability ?? "async",
      data,
      executions,
      events: this.#announcements.since(faultAtMs),
      announcements: this.#announcements.announcedSince(faultAtMs),
      first: this.#announcements.firstSince(faultAtMs, context.master.address),
      acceptedAtMs: await this.#acceptedAt,
    });
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
