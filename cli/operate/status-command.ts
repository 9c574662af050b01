import { setTimeout as delay } from "node:timers/promises";
import { Command } from "commander";
import { messageOf } from "../../runtime/log.ts";
import { UserError } from "../../runtime/user-error.ts";
import { numberFrom } from "../number-option.ts";
import { describeStatus } from "./describe-status.ts";
import { reportStatus, type StatusReport } from "./status-report.ts";
import { openTarget, type Target, type TargetOptions, withTargetOptions } from "./target.ts";

interface StatusOptions extends TargetOptions {
  readonly watch?: true;
  readonly every: number;
  readonly json?: true;
}

/** `redis-ha status`: who leads, and how every part is. */
export function statusCommand(): Command {
  return withTargetOptions(new Command("status"))
    .description(
      "Who leads, every part's health, what each Sentinel knows, and the last failover with its phases. Changes nothing. Exit code 1 unless all is well.",
    )
    .option("-w, --watch", "go on until Ctrl-C")
    .option("--every <seconds>", "with --watch: between two looks", numberFrom(0.2, 3600), 2)
    .action(async (options: StatusOptions) => {
      const target = await openTarget(options);
      if (options.watch) await watch(target, options);
      else {
        const report = await look(target);
        process.stdout.write(`${options.json ? JSON.stringify(report, null, 2) : describeStatus(report)}\n`);
        if (!report.healthy) process.exitCode = 1;
      }
    });
}

async function look(target: Target): Promise<StatusReport> {
  return reportStatus(await target.observe({ logs: true }));
}

/** With `--json` a report a line. On a terminal each one replaces the one before. */
async function watch(target: Target, { json, every }: StatusOptions): Promise<void> {
  const end = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => end.abort());
  const clear = process.stdout.isTTY && !json ? "\u001b[H\u001b[2J" : "";
  while (!end.signal.aborted) {
    try {
      const report = await look(target);
      const text = json
        ? JSON.stringify(report)
        : `${new Date().toISOString()}\n\n${describeStatus(report)}\n`;
      process.stdout.write(`${clear}${text}\n`);
    } catch (error) {
      // An API server that is away for a moment: whoever watches wants to see when it is back.
      if (!(error instanceof UserError)) throw error;
      process.stderr.write(`${messageOf(error)}\n`);
    }
    await delay(every * 1000, undefined, { signal: end.signal }).catch(() => undefined);
  }
}
