import { resolve } from "node:path";
import { Command } from "commander";
import { showProgress } from "../../progress.ts";
import { readLines } from "../logs/logs-command.ts";
import { openTarget, type TargetOptions, withTargetOptions } from "../target.ts";
import { collectReport } from "./collect-report.ts";
import { hideSecrets } from "./hide-secrets.ts";
import { refuseOutput, writeArchive } from "./write-archive.ts";

interface ReportOptions extends TargetOptions {
  readonly out?: string;
  readonly lines: number;
  readonly json?: true;
}

/** `redis-ha report`: an archive for whoever helps, without secrets. */
export function reportCommand(): Command {
  return withTargetOptions(new Command("report"))
    .description(
      "Make an archive for whoever helps: status, doctor's findings, versions, settings, the cluster's objects and events, each part's log. Passwords and keys are hidden, and Secrets aren't read. What can't be had is listed, and the rest goes on. Exit code 1 when no archive could be made.",
    )
    .option(
      "--out <file>",
      "path of the archive, *.tar.gz (default: redis-ha-report-<stack>-<time>.tar.gz here)",
    )
    .option("--lines <number>", "the last lines of each part's log, up to 100000", readLines, 2000)
    .action(async (options: ReportOptions) => {
      const at = new Date();
      const target = await openTarget(options);
      const name = options.stack ?? options.namespace ?? (target.isDeployed ? "stack" : "local");
      const time = at.toISOString().replace(/[-:]|\.\d+/g, "");
      const file = resolve(options.out ?? `redis-ha-report-${name}-${time}.tar.gz`);
      refuseOutput(file);
      const collected = await collectReport(target, options.lines, showProgress);
      showProgress("hiding secrets and packing");
      const files = hideSecrets(collected, at);
      await writeArchive(file, files);
      const result = { file, files: files.map(({ path }) => path), missing: collected.missing };
      const text = [
        file,
        ...result.files.map((path) => `  ${path}`),
        ...result.missing.map(({ what, why }) => `missing: ${what}: ${why}`),
        "Passwords and keys are hidden as far as they could be recognized: look through it before you send it.",
      ].join("\n");
      process.stdout.write(`${options.json ? JSON.stringify(result, null, 2) : text}\n`);
    });
}
