import { Command } from "commander";
import type { Finding } from "./checks/finding.ts";
import { checks, examine, isWell } from "./doctor.ts";
import { openTarget, type TargetOptions, withTargetOptions } from "./target.ts";

interface DoctorOptions extends TargetOptions {
  readonly json?: true;
  readonly list?: true;
}

/** `redis-ha doctor`: what is wrong, why, and what to do about it. */
export function doctorCommand(): Command {
  return withTargetOptions(new Command("doctor"))
    .description(
      "What is wrong, the likely cause first, and what to do about it. Changes nothing. Exit code 1 when anything is; notes don't count.",
    )
    .option("--list", "only say what is looked for")
    .action(async (options: DoctorOptions) => {
      if (options.list) return listChecks(options.json);
      const findings = examine(await (await openTarget(options)).observe({ logs: false }));
      const well = isWell(findings);
      const result = { well, checks: checks.length, findings };
      process.stdout.write(`${options.json ? JSON.stringify(result, null, 2) : describe(findings, well)}\n`);
      if (!well) process.exitCode = 1;
    });
}

function describe(findings: readonly Finding[], well: boolean): string {
  const lines = findings.map(
    ({ severity, subject, finding, cure, check }) =>
      `${severity.padEnd(7)}  ${subject}: ${finding} [${check}]\n         → ${cure}`,
  );
  const summary = well
    ? `All ${checks.length} checks are fine.`
    : `${findings.filter(({ severity }) => severity !== "note").length} findings; the first is the likely cause.`;
  return [...lines, summary].join("\n");
}

function listChecks(json: true | undefined): void {
  const list = checks.map(({ name, summary }) => ({ name, summary }));
  const text = list.map(({ name, summary }) => `${name.padEnd(22)} ${summary}`).join("\n");
  process.stdout.write(`${json ? JSON.stringify(list, null, 2) : text}\n`);
}
