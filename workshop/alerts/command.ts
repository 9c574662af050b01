import { writeFileSync } from "node:fs";
import { Command } from "commander";
import { numberFrom } from "../../cli/number-option.ts";
import { showProgress } from "../../cli/progress.ts";
import { UserError } from "../../runtime/user-error.ts";
import { type Situation, situations } from "./situations.ts";
import { type SituationResult, trySituation } from "./try-situation.ts";

interface AlertsCommandOptions {
  readonly only?: string;
  readonly calm: number;
  readonly port: number;
  readonly json?: string;
}

/** `redis-ha alerts`: does each situation fire its alerts, and no other one? */
export function alertsCommand(): Command {
  return new Command("alerts")
    .description(
      "Make one situation after the other on a topology of this machine, each with a fresh Prometheus that has the product's rules, and tell which alerts fired. " +
        `There are ${situations.length} situations; each takes about a minute. Exit code 1 when an alert is missing, late, or one too many. Needs redis-server and prometheus.`,
    )
    .option("--only <words>", "those with these words in their names")
    .option(
      "--calm <seconds>",
      "how long nothing happens before each; 3600 is the calm hour",
      numberFrom(5, 86_400),
      10,
    )
    .option(
      "--port <number>",
      "first port of the topology; Prometheus takes the one before it",
      numberFrom(1025, 65_000),
      8500,
    )
    .option("--json <file>", "write every alert and its time into a file")
    .action(async (options: AlertsCommandOptions) => {
      const results = await tryAll(options);
      process.stdout.write(renderAlerts(results));
      if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(results, null, 1)}\n`);
      if (results.some(({ wrong }) => wrong.length > 0)) process.exitCode = 1;
    });
}

async function tryAll({ only, calm, port }: AlertsCommandOptions): Promise<SituationResult[]> {
  const chosen: readonly Situation[] = situations.filter(
    ({ name }) => only === undefined || name.includes(only),
  );
  if (chosen.length === 0)
    throw new UserError(
      `No situation has '${only}' in its name (--only). There are: ${situations.map(({ name }) => name).join("; ")}.`,
    );
  const interrupted = new AbortController();
  process.once("SIGINT", () => interrupted.abort(new UserError("Interrupted.")));
  const results: SituationResult[] = [];
  for (const situation of chosen) {
    const result = await trySituation(situation, {
      ...{ basePort: port, prometheusPort: port - 1, calmSeconds: calm },
      signal: interrupted.signal,
    });
    results.push(result);
    showProgress(
      `${results.length}/${chosen.length} ${result.name}: ${result.wrong.join("; ") || "as it should be"}`,
    );
  }
  return results;
}

/** The results as a table in Markdown. */
export function renderAlerts(results: readonly SituationResult[]): string {
  const rows = results.map(({ name, fired, wrong }) => {
    const alerts = Object.entries(fired).toSorted(([a], [b]) => a.localeCompare(b));
    const told = alerts.map(([alert, seconds]) => `${alert} (${seconds} s)`).join(", ") || "none";
    return `| ${name} | ${told} | ${wrong.join("; ") || "–"} |`;
  });
  return ["| situation | alerts, and when they fired | wrong |", "|---|---|---|", ...rows, ""].join("\n");
}
