import { writeFileSync } from "node:fs";
import { Command, Option } from "commander";
import { numberFrom } from "../../cli/number-option.ts";
import { showProgress } from "../../cli/progress.ts";
import { UserError } from "../../runtime/user-error.ts";
import { attacks } from "./attacks.ts";
import { judge, renderReport } from "./report.ts";
import { runHostile } from "./run-hostile.ts";

interface HostileCommandOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly rssCap: number;
  readonly p99Limit: number;
  readonly phase: number;
  readonly rate: number;
  readonly connections: number;
  readonly attackers: number;
  readonly attack?: readonly string[];
  readonly normalAt: "proxy" | "redis";
  readonly port: number;
  readonly json?: string;
}

/** `redis-ha hostile`: does a client that keeps the rules notice those that don't? */
export function hostileCommand(): Command {
  return new Command("hostile")
    .description(
      "Attack a proxy of this machine with seeded hostile bytes from many connections beside a normal client. " +
        "Phases take turns: the attacker sends to the proxy, or just as much to a sink, so that the machine is equally busy. " +
        "Exit code 1 when the proxy crashes, its memory exceeds the cap, or the normal client notices. Needs redis-server.",
    )
    .option("--minutes <number>", "how long", numberFrom(0.05, 24 * 60), 60)
    .option("--seed <number>", "what the attackers do", numberFrom(0, 2 ** 31 - 1), 1)
    .option("--rss-cap <MiB>", "limit of the proxy's resident memory", numberFrom(64, 65_536), 512)
    .option(
      "--p99-limit <ratio>",
      "limit of the normal client's p99, attack on / attack off",
      numberFrom(1, 1000),
      1.1,
    )
    .option("--phase <seconds>", "length of a phase", numberFrom(1, 600), 15)
    .option("--rate <KiB>", "hostile bytes in a second; 0: as many as go", numberFrom(0, 1e6), 256)
    .option(
      "--connections <number>",
      "hostile connections in a second; 0: as many as go",
      numberFrom(0, 1e5),
      20,
    )
    .option("--attackers <number>", "attacks at a time", numberFrom(1, 1000), 16)
    .option(
      "--attack <names...>",
      `only these: ${Object.keys(attacks)
        .map((name) => `"${name}"`)
        .join(", ")}`,
    )
    .addOption(
      new Option(
        "--normal-at <server>",
        "whom the normal client asks; with redis, what it notices isn't the proxy's doing",
      )
        .choices(["proxy", "redis"])
        .default("proxy"),
    )
    .option("--port <number>", "first of five ports", numberFrom(1, 65_530), 7900)
    .option("--json <file>", "write every measurement into a file")
    .action(hostile);
}

async function hostile(options: HostileCommandOptions): Promise<void> {
  const known = Object.keys(attacks);
  const unknown = options.attack?.filter((name) => !known.includes(name)) ?? [];
  if (unknown.length > 0) {
    throw new UserError(`There is no attack '${unknown.join("', '")}': use '${known.join("', '")}'.`);
  }
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interrupted.abort());
  const { rate, connections } = options;
  const result = await runHostile({
    minutes: options.minutes,
    seed: options.seed,
    phaseSeconds: options.phase,
    attackers: options.attackers,
    bytesPerSecond: rate === 0 ? undefined : rate * 1024,
    connectionsPerSecond: connections === 0 ? undefined : connections,
    attacks: options.attack ?? known,
    normalAt: options.normalAt,
    basePort: options.port,
    onProgress: showProgress,
    signal: interrupted.signal,
  });
  const limits = { rssCapMiB: options.rssCap, p99Ratio: options.p99Limit };
  const verdicts = judge(result, limits);
  process.stdout.write(`${renderReport(result, limits)}\n`);
  if (options.json !== undefined) {
    writeFileSync(options.json, `${JSON.stringify({ ...result, verdicts }, undefined, 2)}\n`);
  }
  if (verdicts.some(({ kept }) => !kept)) process.exitCode = 1;
}
