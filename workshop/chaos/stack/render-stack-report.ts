import { percentile } from "../percentile.ts";
import { countCells } from "./judge-round.ts";
import type { StackChaosReport } from "./run-stack-chaos.ts";

/** The report of a run against a stack, as Markdown. */
export function renderStackReport(report: StackChaosReport): string {
  const { rounds, planned, seconds, seed, namespace, clients, violations } = report;
  const names = [...new Set(rounds.map(({ fault }) => fault))].toSorted();
  const rows = names.map((name) => {
    const own = rounds.filter(({ fault }) => fault === name);
    const gaps = own.map(({ gapMs }) => gapMs);
    const at = (share: number): string => Math.round(percentile(gaps, share) ?? Number.NaN).toString();
    const cells = countCells(own.flatMap(({ clients: reports }) => reports));
    return `| ${[name, own.length, `${at(0.5)} / ${at(0.99)} / ${at(1)}`, ...cells].join(" | ")} |`;
  });
  const told = (what: "violations" | "slow"): string[] =>
    rounds.flatMap((round) => round[what].map((text) => `- round ${round.round}, ${round.fault}: ${text}`));
  const broken = [...violations.map((text) => `- ${text}`), ...told("violations")];
  const slow = told("slow");
  return [
    "# Faults in a cluster under load",
    "",
    `${rounds.length} of ${planned} faults in namespace ${namespace}, ${seconds} s, clients ${clients.join(", ")}, seed ${seed}.`,
    "",
    "| fault | rounds | longest time without a write, ms, p50 / p99 / max | acknowledged | lost | twice | errors | disconnects |",
    "|---|---|---|---|---|---|---|---|",
    ...rows,
    "",
    "## Broken promises",
    "",
    ...(broken.length === 0 ? ["None."] : broken),
    "",
    "## Slower than expected",
    "",
    ...(slow.length === 0 ? ["None."] : slow),
    "",
  ].join("\n");
}
