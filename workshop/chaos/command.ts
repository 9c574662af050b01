import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command, Option } from "commander";
import { collectSetting } from "../../cli/collect-setting.ts";
import {
  enterPrivateNetwork,
  inPrivateNetwork,
  privateNetworkObstacle,
} from "../../cli/local/private-network.ts";
import { showProgress } from "../../cli/progress.ts";
import { stateDirectory } from "../../cli/state-directory.ts";
import { UserError } from "../../runtime/user-error.ts";
import { clientLibraries } from "./clients.ts";
import { allFaults } from "./faults/all-faults.ts";
import type { Fault } from "./faults/fault.ts";
import { pastLocalRun, readPastRuns, remember, renderPastRuns } from "./past-runs.ts";
import { renderAvailability } from "./render-availability.ts";
import { renderReport } from "./render-report.ts";
import type { RoundReport } from "./round-report.ts";
import { runChaos } from "./run-chaos.ts";
import { chaosOnStack } from "./stack/command.ts";
import { stackFaults } from "./stack/stack-faults.ts";
import { keepHistoriesIn } from "./write-histories.ts";

const historyFile = join(stateDirectory, "chaos-history.jsonl");
const workersDirectory = join(stateDirectory, "workers");

interface ChaosCommandOptions {
  readonly stack?: string;
  readonly context?: string;
  readonly failovers: string;
  readonly rounds?: string;
  readonly seed: string;
  readonly durability?: string;
  readonly fault: string;
  readonly clients: string;
  readonly inFlight: string;
  readonly minutes: string;
  readonly set: Readonly<Record<string, string>>;
  readonly dir: string;
  readonly port: string;
  readonly ignoreTimes?: boolean;
  readonly json?: string;
  readonly report?: string;
  readonly picture?: string;
  readonly histories?: string;
  readonly history?: boolean;
  readonly remember: boolean;
}

/** `redis-ha chaos`: failovers under load on this machine, with a ledger of what clients were told. */
export function chaosCommand(): Command {
  const list = (faults: readonly { readonly name: string; readonly summary: string }[]): string =>
    faults.map(({ name, summary }) => `  ${name.padEnd(16)} ${summary}`).join("\n");
  return new Command("chaos")
    .description(
      "Break a topology on this machine, or a deployed stack, again and again while clients write, and check what they were told against what the master holds. Needs redis-server, or kubectl. Exit code 1 when a promise was broken.",
    )
    .option("--stack <name>", "break this Pulumi stack, which stays, instead of a topology on this machine")
    .addOption(
      new Option("--context <name>", "with --stack: the context of your kubeconfig that it is in").env(
        "CONTEXT",
      ),
    )
    .option("--failovers <number>", "failovers to cause; each takes 5 to 10 s", "20")
    .option("--rounds <number>", "faults to cause, however many failovers they are")
    .option("--seed <number>", "order of the faults and their moments", "1")
    .addOption(
      new Option(
        "--durability <mode>",
        "redis:durability; with sync and quorum a lost acknowledged write is a broken promise",
      ).choices(["async", "sync", "quorum"]),
    )
    .option(
      "--fault <names>",
      "some of those below, with commas, or random: all that this machine can do",
      "random",
    )
    .option(
      "--set <namespace:key=value>",
      "a setting of the topology, such as sentinel:downAfterMs=500; repeatable",
      collectSetting,
      {},
    )
    .option("--ignore-times", "judge what was lost, repeated and wrong, and not how long it took")
    .option("--clients <names>", `some of ${clientLibraries.map(({ name }) => name).join(",")}`, "ioredis")
    .option("--in-flight <number>", "commands that each client keeps in flight", "8")
    .option("--minutes <number>", "begin no fault later than this", "30")
    .option(
      "--dir <path>",
      "where the topology keeps its data, which are thrown away",
      join(stateDirectory, "chaos"),
    )
    .option("--port <number>", "first port of the topology", "8700")
    .option("--json <file>", "write every round there")
    .option("--report <file>", "write the report there, as Markdown; else it goes to the standard output")
    .option("--picture <file>", "draw there, as SVG, when writes were acknowledged around each fault")
    .option(
      "--histories <file>",
      "write there what each register was asked and answered, for another checker",
    )
    .option("--history", "only show the results of earlier runs")
    .option("--no-remember", "don't add this run to them")
    .addHelpText("after", `\nFaults:\n${list(allFaults)}\n\nFaults with --stack:\n${list(stackFaults)}`)
    .action(chaos);
}

async function chaos(options: ChaosCommandOptions): Promise<void> {
  if (options.history) {
    process.stdout.write(`${renderPastRuns(readPastRuns(historyFile))}\n`);
    return;
  }
  const interrupt = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      showProgress(`${signal}: ending after this fault`);
      interrupt.abort();
    });
  }
  if (options.stack !== undefined) {
    refuseLocalOptions(options);
    await chaosOnStack({
      stack: options.stack,
      context: options.context,
      stateDirectory,
      workersDirectory,
      faults: options.fault,
      clients: options.clients.split(","),
      inFlight: wholeNumber("--in-flight", options.inFlight, 1000),
      rounds: wholeNumber("--rounds", options.rounds ?? options.failovers, 100_000),
      seed: wholeNumber("--seed", options.seed, 2 ** 32 - 1),
      withinMs: wholeNumber("--minutes", options.minutes, 24 * 60) * 60_000,
      ignoreTimes: options.ignoreTimes === true,
      json: options.json,
      report: options.report,
      picture: options.picture,
      historyFile: options.remember ? historyFile : undefined,
      signal: interrupt.signal,
    });
    return;
  }
  refuseTls(options.set);
  const durability = options.durability ?? options.set["redis:durability"];
  const quorum = durability === "quorum";
  const faults = chooseFaults(options.fault, quorum).map((fault) =>
    quorum ? { ...fault, ...fault.withQuorum } : fault,
  );
  if (faults.some(({ needsNetwork }) => needsNetwork) && !inPrivateNetwork()) {
    // What has to be fetched must be there before: from a network of one's own nothing is reached.
    for (const { name, prepare } of clientLibraries)
      if (options.clients.split(",").includes(name)) await prepare(workersDirectory);
    enterPrivateNetwork();
  }
  const report = await runChaos({
    directory: resolve(options.dir),
    workersDirectory,
    basePort: Number(options.port),
    failovers: wholeNumber("--failovers", options.failovers, 100_000),
    seed: wholeNumber("--seed", options.seed, 2 ** 32 - 1),
    faults: faults.map(({ name }) => name),
    ...(options.rounds === undefined ? {} : { rounds: wholeNumber("--rounds", options.rounds, 100_000) }),
    clients: options.clients.split(","),
    inFlight: wholeNumber("--in-flight", options.inFlight, 1000),
    configuration: {
      ...options.set,
      ...(options.durability === undefined ? {} : { "redis:durability": options.durability }),
    },
    withinMs: wholeNumber("--minutes", options.minutes, 24 * 60) * 60_000,
    say: showProgress,
    ...(options.histories === undefined ? {} : { keepHistory: keepHistoriesIn(options.histories) }),
    onRound: (round, planned) => showProgress(describeRound(round, planned)),
    signal: interrupt.signal,
  });
  if (options.remember) remember(historyFile, pastLocalRun(report, new Date()));
  const markdown = renderReport(report);
  if (options.picture !== undefined) writeFileSync(options.picture, renderAvailability(report));
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, null, 1)}\n`);
  if (options.report !== undefined) writeFileSync(options.report, markdown);
  else process.stdout.write(markdown);
  const broken = report.rounds.filter(({ violations }) => violations.length > 0).length;
  const slow = report.slow.length + report.rounds.filter((round) => round.slow.length > 0).length;
  if (report.violations.length + broken + (options.ignoreTimes ? 0 : slow) > 0) process.exitCode = 1;
}

/** @throws {UserError} when there are options that mean nothing to a stack: nobody shall think that they were heard. */
function refuseLocalOptions({ set, durability }: ChaosCommandOptions): void {
  const given = [
    ...(Object.keys(set).length > 0 ? ["--set"] : []),
    ...(durability === undefined ? [] : ["--durability"]),
  ];
  if (given.length === 0) return;
  throw new UserError(
    `${given.join(" and ")} can't be used with --stack: a stack is set up with pulumi config.`,
  );
}

/** @throws {UserError} when the topology would use TLS: the checker reads Redis and the Sentinels without it. */
function refuseTls({ "tls:mode": mode = "off" }: Readonly<Record<string, string>>): void {
  if (mode === "off") return;
  throw new UserError(
    `--set tls:mode=${mode} can't be used on a local topology, only "off": its checker talks to Redis and the Sentinels without TLS. A stack with TLS is tried with --stack NAME.`,
  );
}

/** @throws {UserError} for a name that isn't one, or a fault that this machine can't cause. */
function chooseFaults(names: string, quorum: boolean): readonly Fault[] {
  const random = allFaults.filter(
    ({ onlyByName, waitsWithQuorum }) => !onlyByName && !(quorum && waitsWithQuorum),
  );
  const wanted = names === "random" ? random : names.split(",").map(faultOf);
  if (inPrivateNetwork() || !wanted.some(({ needsNetwork }) => needsNetwork)) return wanted;
  const obstacle = privateNetworkObstacle();
  if (obstacle === undefined) return wanted;
  if (names !== "random") {
    throw new UserError(
      `${wanted.filter(({ needsNetwork }) => needsNetwork).map(({ name }) => name)} need a network for each part, and this machine has none: ${obstacle}. Run it on Linux with ip and nft (Debian: apt-get install iproute2 nftables), or leave them out.`,
    );
  }
  showProgress(`without faults of the network: ${obstacle}`);
  return wanted.filter(({ needsNetwork }) => !needsNetwork);
}

function faultOf(name: string): Fault {
  const fault = allFaults.find((candidate) => candidate.name === name);
  if (fault !== undefined) return fault;
  const all = allFaults.map((candidate) => candidate.name).join(", ");
  throw new UserError(`There is no fault '${name}': use some of ${all}, or random.`);
}

function describeRound(
  { round, fault, gapMs, clients, violations, slow }: RoundReport,
  planned: number,
): string {
  const sent = clients.reduce((total, client) => total + client.sent, 0);
  const unknown = clients.reduce((total, client) => total + client.unknown, 0);
  const gap = gapMs === undefined ? "no writes" : `${Math.round(gapMs)} ms without writes`;
  const lost = clients.reduce((total, client) => total + client.lostAsAllowed.length, 0);
  const verdict = violations.length === 0 ? "ok" : `BROKEN: ${violations.join("; ")}`;
  return [
    `${`${round}/${planned}`.padEnd(8)} ${fault.padEnd(16)} ${gap}`,
    `${sent} commands`,
    `${unknown} unknown`,
    ...(lost > 0 ? [`${lost} lost as expected`] : []),
    ...(slow.length > 0 ? [`SLOW: ${slow.join("; ")}`] : []),
    verdict,
  ].join(", ");
}

function wholeNumber(option: string, text: string, max: number): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1 && value <= max) return value;
  throw new UserError(`${option} is '${text}': use a whole number from 1 to ${max}.`);
}
