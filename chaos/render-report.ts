import type { ChaosReport } from "./run-chaos.ts";
import { type Spread, type Summary, summarise } from "./summarise.ts";

/** A run as Markdown: what was counted by fault and by client, and everything that broke an expectation. */
export function renderReport(report: ChaosReport): string {
  const { rounds, clients, seed, seconds, planned } = report;
  const faults = [...new Set(rounds.map(({ fault }) => fault))];
  const total = summarise(rounds);
  return [
    "# Failovers under load",
    "",
    `${total.failovers} failovers in ${rounds.length} of ${planned} rounds, ${total.sent} commands of ${clients.join(", ")}, ${seconds} s, seed ${seed}.`,
    "",
    "| fault | rounds | commands | executed twice | acknowledged and lost | otherwise wrong | unknown | never answered | errors | disconnects | stale writes |",
    "|---|---|---|---|---|---|---|---|---|---|---|",
    ...faults.map((fault) => countRow(fault, summarise(rounds.filter((round) => round.fault === fault)))),
    countRow("all", total),
    "",
    "| client | rounds | commands | executed twice | acknowledged and lost | otherwise wrong | unknown | never answered | errors | disconnects | longest stall, ms |",
    "|---|---|---|---|---|---|---|---|---|---|---|",
    ...clients.map((client) => {
      const summary = summarise(rounds, client);
      return countRow(client, summary, summary.longestStallMs.toFixed(0));
    }),
    "",
    `Beside these, frozen masters executed ${total.lateWrites} writes that lay in their sockets when they woke up. Nothing can take them back; their clients were told that the outcome is unknown.`,
    "",
    `Clients gave up a connection ${total.ownTimeouts} times because they had waited longer than their own time-out (go-redis and redis-py: 5 s).`,
    "",
    "Times in ms, p50 / p99 / max:",
    "",
    "| fault | fault to write | announcement to a direct write | announcement to write | added by the proxy | longest stall |",
    "|---|---|---|---|---|---|",
    ...[...faults, "all"].map((fault) => {
      const some = summarise(fault === "all" ? rounds : rounds.filter((round) => round.fault === fault));
      const spreads = [
        some.faultToWriteMs,
        some.announcementToAcceptMs,
        some.announcementToWriteMs,
        some.addedMs,
      ];
      return `| ${[fault, ...spreads.map(renderSpread), some.longestStallMs.toFixed(0)].join(" | ")} |`;
    }),
    "",
    "*Announcement*: the first `+promoted-slave` or `+switch-master` of any Sentinel. *Direct write*: the new master takes a write that is sent straight to it; before a replica has joined it, it takes none. *Added by the proxy*: from then to the first write of a client.",
    "",
    ...renderTraces(report),
    "## Broken expectations",
    "",
    ...renderViolations(report),
    "",
  ].join("\n");
}

function countRow(name: string, summary: Summary, last = String(summary.staleWrites)): string {
  const { rounds, sent, duplicates, lost, otherWrong, unknown, open, errors, disconnects } = summary;
  const cells = [
    name,
    rounds,
    sent,
    duplicates,
    lost,
    otherWrong,
    unknown,
    open,
    renderErrors(errors),
    disconnects,
  ];
  return `| ${[...cells, last].join(" | ")} |`;
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

function renderViolations({ rounds, violations }: ChaosReport): string[] {
  const lines = [
    ...violations,
    ...rounds.flatMap((round) =>
      round.violations.map((text) => `round ${round.round}, ${round.fault}: ${text}`),
    ),
  ];
  return lines.length === 0 ? ["None."] : lines.map((line) => `- ${line}`);
}
