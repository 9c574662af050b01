import { writeFileSync } from "node:fs";
import { Command, InvalidArgumentError } from "commander";
import { showProgress } from "../../cli/progress.ts";
import { UserError } from "../../runtime/user-error.ts";
import { renderPicture } from "./render-picture.ts";
import { judge, renderReport, renderVerdicts, type Verdict } from "./report.ts";
import { runBench } from "./run-bench.ts";
import { renderDurability, runDurabilityBench } from "./run-durability-bench.ts";
import { judgeVariants, renderVariants, runVariantsBench } from "./run-variants-bench.ts";
import { idleTarget, scenarios } from "./scenarios.ts";

interface BenchCommandOptions {
  readonly rounds: number;
  readonly scale: number;
  readonly port: number;
  readonly scenario?: readonly string[];
  readonly idle: number;
  readonly clients: number;
  readonly cpuProf?: string;
  readonly json?: string;
  readonly check?: boolean;
  readonly durability?: number;
  readonly variants?: boolean;
  readonly picture?: string;
  readonly paced: number;
}

/** `redis-ha bench`: the proxy beside HAProxy and no proxy at all. */
export function benchCommand(): Command {
  return new Command("bench")
    .description(
      "Measure Redis directly, through HAProxy and through the proxy, interleaved in one run. Needs redis-server, redis-benchmark and haproxy.",
    )
    .option("--rounds <number>", "rounds of each scenario", whole(1, 100), 5)
    .option("--scale <factor>", "factor on the number of requests", positive, 1)
    .option("--scenario <names...>", `only these: ${scenarios.map(({ name }) => `"${name}"`).join(", ")}`)
    .option(
      "--idle <number>",
      "idle clients for the memory test; 0: none",
      whole(0, 15_000),
      idleTarget.clients,
    )
    .option(
      "--clients <number>",
      "clients for the test of upstream connections; 0: none",
      whole(0, 8000),
      5000,
    )
    .option(
      "--durability <replicas>",
      "instead: redis:durability async, sync and quorum, in front of a master with so many replicas",
      whole(1, 8),
    )
    .option(
      "--variants",
      "instead: the proxy plain, with a stack's users, with TLS for clients, and with two workers",
    )
    .option("--paced <seconds>", "seconds of each round at 30 % load; 0: none", whole(0, 60), 3)
    .option("--port <number>", "first of sixteen ports", whole(1, 65_000), 7800)
    .option("--cpu-prof <directory>", "write a CPU profile of the proxy there")
    .option("--json <file>", "write every measurement into a file")
    .option("--picture <file>", "draw the requests per second there, as SVG")
    .option("--check", "exit code 1 when a target is missed")
    .action(bench);
}

async function bench(options: BenchCommandOptions): Promise<void> {
  const known = scenarios.map(({ name }) => name);
  const unknown = options.scenario?.filter((name) => !known.includes(name)) ?? [];
  if (unknown.length > 0) {
    throw new UserError(`There is no scenario '${unknown.join("', '")}': use '${known.join("', '")}'.`);
  }
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interrupted.abort());
  const common = {
    scenarios: scenarios.filter(({ name }) => options.scenario?.includes(name) ?? true),
    rounds: options.rounds,
    scale: options.scale,
    basePort: options.port,
    onProgress: showProgress,
    signal: interrupted.signal,
  };
  if (options.durability !== undefined) {
    const compared = await runDurabilityBench({ ...common, replicas: options.durability });
    tell(options, renderDurability(compared), compared);
    return;
  }
  if (options.variants === true) {
    const compared = await runVariantsBench(common);
    const verdicts = judgeVariants(compared);
    const text = `${renderVariants(compared)}\n\n${renderVerdicts(verdicts)}`;
    tell(options, text, { ...compared, verdicts }, verdicts);
    return;
  }
  const result = await runBench({
    ...common,
    pacedSeconds: options.paced,
    idleClients: options.idle,
    manyClients: options.clients,
    nodeOptions: options.cpuProf === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${options.cpuProf}`],
  });
  const verdicts = judge(result);
  if (options.picture !== undefined) writeFileSync(options.picture, renderPicture(result));
  tell(options, renderReport(result), { ...result, verdicts }, verdicts);
}

/** Prints what was measured, writes it where the options say, and fails when they ask for it and a target is missed. */
function tell(
  { json, check }: BenchCommandOptions,
  text: string,
  measured: object,
  verdicts: readonly Verdict[] = [],
): void {
  process.stdout.write(`${text}\n`);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(measured, undefined, 2)}\n`);
  if (check === true && verdicts.some(({ reached }) => !reached)) process.exitCode = 1;
}

function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < min || value > max) {
      throw new InvalidArgumentError(`Use a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 100)) throw new InvalidArgumentError("Use a number above 0, up to 100.");
  return value;
}
