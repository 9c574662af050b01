import { writeFileSync } from "node:fs";
import { showProgress } from "../../../cli/progress.ts";
import { UserError } from "../../../runtime/user-error.ts";
import { openStack } from "../../stack/stack.ts";
import { clientLibraries } from "../clients.ts";
import { findNamed } from "../find-named.ts";
import { pastStackRun, remember } from "../past-runs.ts";
import { renderAvailability } from "../render-availability.ts";
import type { WorkerProgram } from "../workload-process.ts";
import { findAccess } from "./find-access.ts";
import { renderStackReport } from "./render-stack-report.ts";
import { runStackChaos, type StackChaosRound } from "./run-stack-chaos.ts";
import { RunningStack } from "./running-stack.ts";
import { stackFaults } from "./stack-faults.ts";

/** What `redis-ha chaos --stack` is told, with every number checked. */
export interface ChaosStackOptions {
  readonly stack: string;
  readonly context: string | undefined;
  readonly stateDirectory: string;
  readonly workersDirectory: string;
  /** Names with commas, or `random` for all. */
  readonly faults: string;
  readonly clients: readonly string[];
  readonly inFlight: number;
  readonly rounds: number;
  readonly seed: number;
  readonly withinMs: number;
  readonly ignoreTimes: boolean;
  readonly json: string | undefined;
  readonly report: string | undefined;
  readonly picture: string | undefined;
  /** Where the run is added to earlier ones; undefined: nowhere. */
  readonly historyFile: string | undefined;
  readonly signal: AbortSignal;
}

/** Breaks a deployed stack again and again while clients write. Its exit code is 1 when a promise was broken. */
export async function chaosOnStack(options: ChaosStackOptions): Promise<void> {
  const names =
    options.faults === "random"
      ? stackFaults.filter(({ onlyByName }) => !onlyByName).map(({ name }) => name)
      : options.faults.split(",");
  const faults = names.map((name) => findNamed("fault with --stack", stackFaults, name));
  const clients = new Map<string, WorkerProgram>();
  for (const name of options.clients) {
    const { prepare } = findNamed("client", clientLibraries, name);
    clients.set(name, await prepare(options.workersDirectory));
  }
  const { outputs, context, environment, pulumi } = await openStack({
    stack: options.stack,
    context: options.context,
    directory: options.stateDirectory,
    onProgress: showProgress,
  });
  const stack = await RunningStack.find({ namespace: String(outputs.namespace), context, environment });
  const access = await findAccess(stack, outputs);
  if (access.tls !== undefined && options.clients.some((name) => name !== "ioredis"))
    throw new UserError(
      "The stack uses TLS, which only the worker of ioredis can do: use --clients ioredis.",
    );
  const report = await runStackChaos({
    ...{ ...options, stack, pulumi, access, clients, faults },
    say: showProgress,
    onRound: showRound,
  });
  if (options.historyFile !== undefined) remember(options.historyFile, pastStackRun(report, new Date()));
  if (options.picture !== undefined) writeFileSync(options.picture, renderAvailability(report));
  const markdown = renderStackReport(report);
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, null, 1)}\n`);
  if (options.report !== undefined) writeFileSync(options.report, markdown);
  else process.stdout.write(markdown);
  const broken = [report, ...report.rounds].some(({ violations }) => violations.length > 0);
  const slow = report.rounds.some((round) => round.slow.length > 0);
  if (broken || (slow && !options.ignoreTimes)) process.exitCode = 1;
}

function showRound(
  { round, fault, gapMs, seconds, violations, slow }: StackChaosRound,
  planned: number,
): void {
  const verdict = violations.length === 0 ? "ok" : `BROKEN: ${violations.join("; ")}`;
  const late = slow.length === 0 ? "" : `SLOW: ${slow.join("; ")}, `;
  const gap = `${Math.round(gapMs)} ms without writes, all well after ${seconds.toFixed(0)} s`;
  showProgress(`${`${round}/${planned}`.padEnd(8)} ${fault.padEnd(16)} ${gap}, ${late}${verdict}`);
}
