import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command } from "commander";
import { clientLibraries } from "../chaos/clients.ts";
import { allFaults } from "../chaos/faults/all-faults.ts";
import { renderReport } from "../chaos/render-report.ts";
import type { RoundReport } from "../chaos/round-report.ts";
import { runChaos } from "../chaos/run-chaos.ts";
import { showProgress } from "./progress.ts";
import { stateDirectory } from "./state-directory.ts";
import { UserError } from "./user-error.ts";

interface ChaosCommandOptions {
  readonly failovers: string;
  readonly seed: string;
  readonly fault: string;
  readonly clients: string;
  readonly minutes: string;
  readonly dir: string;
  readonly port: string;
  readonly json?: string;
  readonly report?: string;
}

/** `redis-ha chaos`: failovers under load on this machine, with a ledger of what clients were told. */
export function chaosCommand(): Command {
  const faults = allFaults.map(({ name, summary }) => `  ${name.padEnd(14)} ${summary}`).join("\n");
  return new Command("chaos")
    .description(
      "Break a topology on this machine again and again while clients write, and check what they were told against what the master holds. Needs redis-server. Exit code 1 when a promise was broken.",
    )
    .option("--failovers <number>", "failovers to cause; each takes 5 to 10 s", "20")
    .option("--seed <number>", "order of the faults and their moments", "1")
    .option("--fault <names>", "only these, with commas", allFaults.map(({ name }) => name).join(","))
    .option("--clients <names>", `some of ${clientLibraries.map(({ name }) => name).join(",")}`, "ioredis")
    .option("--minutes <number>", "begin no fault later than this", "30")
    .option(
      "--dir <path>",
      "where the topology keeps its data, which are thrown away",
      join(stateDirectory, "chaos"),
    )
    .option("--port <number>", "first port of the topology", "8700")
    .option("--json <file>", "write every round there")
    .option("--report <file>", "write the report there, as Markdown; else it goes to the standard output")
    .addHelpText("after", `\nFaults:\n${faults}`)
    .action(chaos);
}

async function chaos(options: ChaosCommandOptions): Promise<void> {
  const interrupt = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      showProgress(`${signal}: ending after this fault`);
      interrupt.abort();
    });
  }
  const report = await runChaos({
    directory: resolve(options.dir),
    workersDirectory: join(stateDirectory, "workers"),
    basePort: Number(options.port),
    failovers: wholeNumber("--failovers", options.failovers, 100_000),
    seed: wholeNumber("--seed", options.seed, 2 ** 32 - 1),
    faults: options.fault.split(","),
    clients: options.clients.split(","),
    withinMs: wholeNumber("--minutes", options.minutes, 24 * 60) * 60_000,
    say: showProgress,
    onRound: (round, planned) => showProgress(describeRound(round, planned)),
    signal: interrupt.signal,
  });
  const markdown = renderReport(report);
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, null, 1)}\n`);
  if (options.report !== undefined) writeFileSync(options.report, markdown);
  else process.stdout.write(markdown);
  const broken =
    report.violations.length + report.rounds.filter(({ violations }) => violations.length > 0).length;
  if (broken > 0) process.exitCode = 1;
}

function describeRound({ round, fault, stalls, clients, violations }: RoundReport, planned: number): string {
  const sent = clients.reduce((total, client) => total + client.sent, 0);
  const unknown = clients.reduce((total, client) => total + client.unknown, 0);
  const gap =
    stalls.withoutWritesMs === undefined
      ? "no writes"
      : `${Math.round(stalls.withoutWritesMs)} ms without writes`;
  const verdict = violations.length === 0 ? "ok" : `BROKEN: ${violations.join("; ")}`;
  return `${`${round}/${planned}`.padEnd(8)} ${fault.padEnd(13)} ${gap}, ${sent} commands, ${unknown} unknown, ${verdict}`;
}

function wholeNumber(option: string, text: string, max: number): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1 && value <= max) return value;
  throw new UserError(`${option} is '${text}': use a whole number from 1 to ${max}.`);
}
