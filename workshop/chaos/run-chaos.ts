import { partsOf } from "../../cli/local/local-parts.ts";
import { LocalTopology } from "../../cli/local/local-topology.ts";
import { PartNetwork } from "../../cli/local/part-network.ts";
import { inPrivateNetwork } from "../../cli/local/private-network.ts";
import { messageOf } from "../../runtime/log.ts";
import { clientLibraries } from "./clients.ts";
import { judgeRun } from "./expectations.ts";
import { allFaults } from "./faults/all-faults.ts";
import type { DurabilityMode, Fault } from "./faults/fault.ts";
import { findNamed } from "./find-named.ts";
import { LedgerRun } from "./ledger-run.ts";
import { monotonicMs } from "./monotonic-clock.ts";
import { observer } from "./observer.ts";
import { planRounds } from "./plan-rounds.ts";
import type { RoundReport } from "./round-report.ts";
import { seededRandom } from "./seeded-random.ts";
import type { WorkerProgram } from "./workload-process.ts";
import type { KeepHistory } from "./write-histories.ts";

export interface ChaosOptions {
  /** Where the topology keeps its data; those of an earlier run are thrown away. */
  readonly directory: string;
  /** Where workers are built. */
  readonly workersDirectory: string;
  readonly basePort: number;
  readonly failovers: number;
  /** Faults in all, instead of a number of failovers. */
  readonly rounds?: number;
  readonly seed: number;
  /** Names of {@link allFaults}. */
  readonly faults: readonly string[];
  /** Names of {@link clientLibraries}. */
  readonly clients: readonly string[];
  /** Commands that each client keeps in flight. */
  readonly inFlight: number;
  /** Settings of the topology, `namespace:key` → value, where they aren't the run's own. */
  readonly configuration?: Readonly<Record<string, string>>;
  /** No fault is begun later than this. */
  readonly withinMs: number;
  readonly say: (line: string) => void;
  /** Gets each round's operations. */
  readonly keepHistory?: KeepHistory | undefined;
  /** Told of each round when it is over. */
  readonly onRound: (round: RoundReport, planned: number) => void;
  /** Ends the run after the fault that is under way. */
  readonly signal: AbortSignal;
}

/** A whole run. */
export interface ChaosReport {
  readonly seed: number;
  readonly durability: DurabilityMode;
  readonly faults: readonly string[];
  readonly clients: readonly string[];
  readonly planned: number;
  readonly seconds: number;
  readonly rounds: readonly RoundReport[];
  /** What the run as a whole broke, and why it ended early, if it did. Those of each round stand there. */
  readonly violations: readonly string[];
  /** What took longer than it should over the whole run. */
  readonly slow: readonly string[];
}

/** The run's own settings. Shorter than the defaults, so that a round is: the master is down after 1 s, a failed attempt is over after 3 s. */
const ownConfiguration = { "sentinel:downAfterMs": "1000", "sentinel:failoverTimeoutMs": "3000" };

/** One can be cut off or killed while the other goes on. */
const proxies = 2;

/** Small enough to be filled in a moment, and far more than a run needs. */
const volumeBytes = 256 * 2 ** 20;

/**
 * Starts a topology and clients that write, injects one fault after the other, and ends everything again.
 *
 * @throws {UserError} before anything is started, when a name is wrong or a client library isn't there.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { directory, basePort, seed, say, signal } = options;
  const faults = options.faults.map((name) => findNamed<Fault>("fault", allFaults, name));
  const libraries = options.clients.map((name) => findNamed("client", clientLibraries, name));
  const clients = new Map<string, WorkerProgram>();
  for (const { name, prepare } of libraries) {
    say(`preparing the ${name} worker`);
    clients.set(name, await prepare(options.workersDirectory));
  }
  const random = seededRandom(seed);
  const plan = planRounds(faults, options.failovers, random, options.rounds);
  const beginMs = monotonicMs();
  const needed = Object.assign({}, ...faults.map(({ needs }) => needs)) as Record<string, string>;
  const configuration = { ...ownConfiguration, ...options.configuration, ...needed };
  const network = inPrivateNetwork()
    ? {
        network: await PartNetwork.build(partsOf(configuration, proxies)),
        proxies,
        volumeBytes,
      }
    : {};
  if (network.network === undefined && faults.some(({ needsNetwork }) => needsNetwork)) {
    throw new Error("some of the faults need a network of their own");
  }
  const topology = await LocalTopology.start({
    directory,
    basePort,
    configuration,
    tester: observer,
    fresh: true,
    onProgress: say,
    signal,
    ...network,
  });
  const { durability } = topology.settings.redis;
  const rounds: RoundReport[] = [];
  const violations: string[] = [];
  try {
    const { inFlight, keepHistory } = options;
    const common = { topology, clients, random, durability, inFlight, say, keepHistory };
    const run = await LedgerRun.start({ ...common, ...network });
    try {
      for (const fault of plan) {
        if (signal.aborted) violations.push("interrupted");
        else if (monotonicMs() - beginMs > options.withinMs) violations.push("out of time");
        if (violations.length > 0) break;
        const round = await run.inject(fault);
        rounds.push(round);
        options.onRound(round, plan.length);
      }
    } catch (error) {
      // After it nothing can be said about the books; what was seen before is worth a report.
      violations.push(`ended after ${rounds.length} of ${plan.length} rounds: ${messageOf(error)}`);
    } finally {
      await run.stop();
    }
  } finally {
    await topology.stop();
  }
  return {
    seed,
    durability,
    faults: options.faults,
    clients: options.clients,
    planned: plan.length,
    seconds: Math.round((monotonicMs() - beginMs) / 1000),
    rounds,
    violations,
    slow: judgeRun(rounds),
  };
}
