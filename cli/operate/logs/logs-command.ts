import { Command, InvalidArgumentError, Option } from "commander";
import { openTarget, type TargetOptions, withTargetOptions } from "../target.ts";
import { type Level, levels } from "./log-line.ts";
import { describeEntry, mergeLogs } from "./merge-logs.ts";
import type { PartLog } from "./part-log.ts";

interface LogsOptions extends TargetOptions {
  readonly since?: number;
  readonly part: readonly string[];
  readonly level?: Level;
  readonly lines: number;
  readonly json?: true;
}

/** `redis-ha logs`: what all parts wrote, merged in time. */
export function logsCommand(): Command {
  return withTargetOptions(new Command("logs"), "print a JSON object a line")
    .description(
      "What all parts wrote, merged in time: time in UTC, part, level, message. Of a container that was started again also what the one before it wrote. Exit code 1 when the log of a part couldn't be read.",
    )
    .option("--since <duration>", "only what was written since, such as 90s, 10m or 2h", readDuration)
    .addOption(
      new Option("--part <part>", "redis, sentinel, proxy, or the name of one; repeatable")
        .argParser((word: string, earlier: readonly string[]) => [...earlier, word])
        .default([], "all"),
    )
    .addOption(
      new Option("--level <level>", "only what matters as much; redis-server's # is a warn").choices(levels),
    )
    .option("--lines <number>", "the last ones of each part, up to 100000", readLines, 5000)
    .action(async (options: LogsOptions) => {
      const { since, part, level, lines } = options;
      const beginMs = Date.now();
      const target = await openTarget(options);
      const logs = await target.readLogs({ parts: part, lines, sinceSeconds: since });
      // A cluster has a clock of its own, and has left the older ones out by it.
      const sinceMs = since === undefined || target.isDeployed ? undefined : beginMs - since * 1000;
      const width = Math.max(...logs.map((log) => log.part.length));
      for (const entry of mergeLogs(logs, { least: level, sinceMs })) {
        const { atMs, ...rest } = entry;
        const time = atMs === undefined ? null : new Date(atMs).toISOString();
        process.stdout.write(
          `${options.json ? JSON.stringify({ time, ...rest }) : describeEntry(entry, width)}\n`,
        );
      }
      for (const remark of remarksOn(logs)) process.stderr.write(`${remark}\n`);
      if (logs.some(({ problem }) => problem !== undefined)) process.exitCode = 1;
    });
}

/** What isn't shown, and why. */
export function remarksOn(logs: readonly PartLog[]): string[] {
  return logs.flatMap(({ part, lines, cut, problem, previousProblem }) => [
    ...(problem === undefined ? [] : [`${part}: its log can't be read: ${problem}`]),
    ...(previousProblem === undefined
      ? []
      : [`${part}: it was started again, and the log before that can't be read: ${previousProblem}`]),
    ...(cut ? [`${part}: only the last ${lines.length} lines; --lines takes more`] : []),
  ]);
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

function readDuration(text: string): number {
  const [, number = "", unit = ""] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const seconds = Number(number) * (unitSeconds[unit] ?? 0);
  if (!(seconds > 0)) throw new InvalidArgumentError("Use a number with s, m, h or d, such as 90s or 10m.");
  return seconds;
}

/** A number of lines, for commander. */
export function readLines(text: string): number {
  const lines = Number(text);
  if (!(Number.isInteger(lines) && lines >= 1 && lines <= 100_000))
    throw new InvalidArgumentError("Use a whole number from 1 to 100000.");
  return lines;
}
