import { countGaps } from "./gap-histogram.ts";
import type { RoundReport } from "./round-report.ts";
import type { ChaosReport } from "./run-chaos.ts";
import { type Spread, type Summary, summarise } from "./summarise.ts";

/** A run as Markdown: what was counted by fault and by client, how long it took, and everything that broke an expectation. */
export function renderReport(report: ChaosReport): string {
  const { rounds, seed, durability, seconds, planned } = report;
  const faults = [...new Set(rounds.map(({ fault }) => fault))].sort();
  const clients = [...new Set(rounds.flatMap((round) => round.clients.map(({ client }) => client)))].sort();
  const total = summarise(rounds);
  const of = (fault: string): RoundReport[] => rounds.filter((round) => round.fault === fault);
  const counts = (first: string, rows: readonly string[]): string[] => [
    `| ${first} | rounds | commands | lost | lost as expected | executed twice | phantom | rolled back | otherwise wrong | unknown (of them there) | errors | never answered | disconnects | stale writes | false failovers |`,
    `|${"---|".repeat(15)}`,
    ...rows,
  ];
  return [
    "# Faults under load",
    "",
    `${rounds.length} of ${planned} faults, ${total.failovers} failovers, ${total.sent} commands of ${clients.join(", ")}, ${seconds} s, seed ${seed}, \`redis:durability\` \`${durability}\`. All parts on one machine.`,
    "",
    ...counts("fault", [
      ...faults.map((fault) => countRow(fault, summarise(of(fault)))),
      countRow("**all**", total),
    ]),
    "",
    ...counts(
      "client",
      clients.map((client) => countRow(client, summarise(rounds, client))),
    ),
    "",
    "*Lost*: acknowledged and gone. *As expected*: in the time in which the fault allows it with durability `async`; with `quorum` there is no such time, with `sync` only where the replica that has confirmed is cut off, too. *Phantom*: there, but refused or never written. *Rolled back*: read, and gone later. *False failover*: another master although nothing had happened to the one there was.",
    "",
    `Registers: ${total.registers.checked} checked; no order explains ${total.registers.violated} in calm times and ${total.registers.violatedAroundFault} around a fault.`,
    "",
    `Beside these, masters that had been frozen or cut off executed ${total.lateWrites} writes that lay in their sockets. Nothing can take them back; their clients were told that the outcome is unknown. Clients gave up a connection ${total.ownTimeouts} times because they had waited longer than their own time-out (go-redis and redis-py: 5 s).`,
    "",
    "Times in ms, p50 / p99 / max:",
    "",
    "| fault | rounds | a client without writes | bound | announcement to a direct write | announcement to write | added by the proxy | longest stall |",
    "|---|---|---|---|---|---|---|---|",
    ...faults.map((fault) => timeRow(fault, of(fault))),
    timeRow("**all**", rounds),
    "",
    "*A client without writes*: the longest time after the fault in which a client had none acknowledged; clients whose own proxy was cut off or killed don't count. *Announcement*: the first `+promoted-slave` or `+switch-master` of any Sentinel. *Direct write*: the new master takes a write that is sent straight to it; before a replica has joined it, it takes none. *Added by the proxy*: from then to the first write of a client.",
    "",
    "| longest time without writes | faults |",
    "|---|---|",
    ...countGaps(rounds.map(({ gapMs }) => gapMs)).map(
      ({ name, count }) => `| ${name} | ${count} ${"█".repeat(Math.ceil((40 * count) / rounds.length))} |`,
    ),
    "",
    ...renderTraces(report),
    "## Broken expectations",
    "",
    ...renderViolations(report, "violations"),
    "",
    "## Slower than expected",
    "",
    ...renderViolations(report, "slow"),
    "",
  ].join("\n");
}

function countRow(name: string, summary: Summary): string {
  const cells = [
    name,
    summary.rounds,
    summary.sent,
    summary.lost,
    summary.lostAsAllowed,
    summary.duplicates,
    summary.phantom,
    summary.rolledBack,
    summary.otherWrong,
    `${summary.unknown} (${summary.recovered})`,
    renderErrors(summary.errors),
    summary.open,
    summary.disconnects,
    summary.staleWrites,
    summary.falseFailovers,
  ];
  return `| ${cells.join(" | ")} |`;
}

function timeRow(name: string, rounds: readonly RoundReport[]): string {
  const { gapMs, announcementToAcceptMs, announcementToWriteMs, addedMs, longestStallMs } = summarise(rounds);
  const bounds = [...new Set(rounds.map(({ gapBoundMs }) => gapBoundMs))];
  const cells = [
    name,
    rounds.length,
    renderSpread(gapMs),
    bounds.length === 1 ? bounds[0] : "",
    ...[announcementToAcceptMs, announcementToWriteMs, addedMs].map(renderSpread),
    longestStallMs.toFixed(0),
  ];
  return `| ${cells.join(" | ")} |`;
}

function renderErrors(errors: Readonly<Record<string, number>>): string {
  const items = Object.entries(errors).map(([name, count]) => `${count} × ${name.replaceAll("|", "\\|")}`);
  return items.length === 0 ? "0" : items.join(", ");
}

function renderSpread({ p50, p99, max }: Spread): string {
  return [p50, p99, max].map((value) => value?.toFixed(value < 10 ? 1 : 0) ?? "–").join(" / ");
}

function renderTraces({ rounds }: ChaosReport): string[] {
  const lines = rounds.flatMap(({ round, fault, duplicateTraces }) =>
    duplicateTraces.map((trace) => `- round ${round}, ${fault}: ${trace}`),
  );
  return lines.length === 0
    ? []
    : ["## Writes that ran more than once, ms after the fault", "", ...lines, ""];
}

function renderViolations(report: ChaosReport, kind: "violations" | "slow"): string[] {
  const lines = [
    ...report[kind],
    ...report.rounds.flatMap((round) =>
      round[kind].map((text) => `round ${round.round}, ${round.fault}: ${text}`),
    ),
  ];
  return lines.length === 0 ? ["None."] : lines.map((line) => `- ${line}`);
}
