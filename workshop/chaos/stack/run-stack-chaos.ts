import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Address } from "../../../runtime/address.ts";
import { messageOf } from "../../../runtime/log.ts";
import { UserError } from "../../../runtime/user-error.ts";
import { judgeTimes } from "../expectations.ts";
import { monotonicMs } from "../monotonic-clock.ts";
import { planRounds } from "../plan-rounds.ts";
import { seededRandom } from "../seeded-random.ts";
import type { WorkerProgram } from "../workload-process.ts";
import { brokenPromises } from "./judge-round.ts";
import { PodLogs } from "./pod-logs.ts";
import type { RunningStack } from "./running-stack.ts";
import type { StackPulumi } from "./scale-stack.ts";
import type { StackFault } from "./stack-faults.ts";
import { StackLedger, type StackRound } from "./stack-ledger.ts";

/** How clients come to a stack. */
export interface StackAccess {
  /** Reached from here, also while proxies are replaced. */
  readonly endpoint: Address;
  readonly password: string;
  /** With TLS: the authority of the endpoint's certificate, and a name that is in it. */
  readonly tls?: { readonly ca: string; readonly servername: string } | undefined;
}

export interface StackChaosOptions {
  readonly stack: RunningStack;
  /** For faults that change its configuration. Default: none. */
  readonly pulumi?: StackPulumi;
  readonly say?: (line: string) => void;
  readonly access: StackAccess;
  /** Client name → its worker. With TLS only workers that take `--ca` and `--server-name`. */
  readonly clients: ReadonlyMap<string, WorkerProgram>;
  /** Commands that each client keeps in flight. */
  readonly inFlight: number;
  readonly faults: readonly StackFault[];
  readonly rounds: number;
  readonly seed: number;
  /** No fault is begun later than this. */
  readonly withinMs: number;
  /** Told of each round when it is over. */
  readonly onRound: (round: StackChaosRound, planned: number) => void;
  /** Ends the run after the fault that is under way. */
  readonly signal: AbortSignal;
}

/** One fault and what came of it. */
export interface StackChaosRound extends StackRound {
  readonly round: number;
  readonly fault: string;
  /** What broke a promise, a sentence each. */
  readonly violations: readonly string[];
  /** What took longer than it should. */
  readonly slow: readonly string[];
}

/** A whole run. */
export interface StackChaosReport {
  readonly seed: number;
  readonly namespace: string;
  readonly clients: readonly string[];
  readonly planned: number;
  readonly seconds: number;
  readonly rounds: readonly StackChaosRound[];
  /** Why the run ended early, if it did. */
  readonly violations: readonly string[];
}

/** Before it is asked whether all is well, ms: for a moment the cluster doesn't know yet that it isn't. */
const settleMs = 3000;

/** Lets clients write to a deployed stack, injects one fault after the other, and checks what they were told. The stack stays. */
export async function runStackChaos(options: StackChaosOptions): Promise<StackChaosReport> {
  const { stack, clients, seed, signal, onRound } = options;
  const beginMs = monotonicMs();
  const faults = options.faults.map((fault) => ({ ...fault, failover: false }));
  const random = seededRandom(seed);
  const plan = planRounds(faults, 0, random, options.rounds);
  const context = { pulumi: options.pulumi, random, say: options.say ?? (() => undefined) };
  const directory = mkdtempSync(join(tmpdir(), "redis-ha-chaos-"));
  const podLogs = new PodLogs(stack);
  const rounds: StackChaosRound[] = [];
  const violations: string[] = [];
  try {
    await stack.allWell();
    const ledger = await startLedger(directory, options);
    try {
      for (const fault of plan) {
        if (signal.aborted) violations.push("interrupted");
        else if (monotonicMs() - beginMs > options.withinMs) violations.push("out of time");
        if (violations.length > 0) break;
        const seen = await ledger.during(async () => {
          await fault.inject(stack, context);
          await delay(settleMs);
          await stack.allWell();
        });
        const round = {
          ...seen,
          round: rounds.length + 1,
          fault: fault.name,
          violations: brokenPromises(seen, fault.allows),
          slow: judgeTimes(seen, fault),
        };
        rounds.push(round);
        onRound(round, plan.length);
      }
    } catch (error) {
      violations.push(`ended after ${rounds.length} of ${plan.length} rounds: ${messageOf(error)}`);
    } finally {
      await ledger.stop();
    }
  } finally {
    const logs = await podLogs.stop(rounds.some((round) => round.violations.length > 0));
    if (logs !== undefined) options.say?.(`What the pods wrote: ${logs}`);
    rmSync(directory, { recursive: true });
  }
  return {
    seed,
    namespace: stack.namespace,
    clients: [...clients.keys()],
    planned: plan.length,
    seconds: Math.round((monotonicMs() - beginMs) / 1000),
    rounds,
    violations,
  };
}

/** @throws {UserError} when the clients can't connect. */
async function startLedger(
  directory: string,
  { access: { endpoint, password, tls }, clients, inFlight }: StackChaosOptions,
): Promise<StackLedger> {
  const [passwordFile, caFile] = [join(directory, "password"), join(directory, "ca.crt")];
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (tls !== undefined) writeFileSync(caFile, tls.ca);
  const tlsArguments = tls === undefined ? [] : ["--ca", caFile, "--server-name", tls.servername];
  const programs = [...clients].map(
    ([name, { command, args }]) => [name, { command, args: [...args, ...tlsArguments] }] as const,
  );
  try {
    return await StackLedger.start({
      ...{ endpoint, password, passwordFile, tls, inFlight },
      clients: new Map(programs),
    });
  } catch (error) {
    throw new UserError(
      `No client gets through to ${endpoint.host}:${endpoint.port}: ${messageOf(error)}. Run it where the endpoint is reached.`,
    );
  }
}
