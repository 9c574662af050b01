import { countCells } from "../../workshop/chaos/stack/judge-round.ts";
import type { StackRound } from "../../workshop/chaos/stack/stack-ledger.ts";
import type { Away } from "./away-watch.ts";

interface Round {
  readonly report: StackRound;
  readonly away: Away;
}

/** The table of docs/operations.md: for each rollout what all its rounds have in common. */
export class RolloutTable {
  readonly #rounds = new Map<string, Round[]>();

  add(name: string, report: StackRound, away: Away): void {
    this.#rounds.set(name, [...(this.#rounds.get(name) ?? []), { report, away }]);
  }

  render(): string {
    const head = [
      "rollout",
      "rounds",
      "lasts, s",
      "longest time without a write, ms",
      "away at once: Redis, Sentinels, proxies",
      "acknowledged",
      "lost",
      "twice",
      "errors",
      "disconnects",
    ];
    const rows = [...this.#rounds].map(([name, rounds]) => {
      const most = (kind: keyof Away): number => Math.max(...rounds.map(({ away }) => away[kind]));
      return [
        name,
        rounds.length,
        spread(rounds.map(({ report }) => report.seconds)),
        spread(rounds.map(({ report }) => report.gapMs)),
        `${most("redis")}, ${most("sentinel")}, ${most("proxy")}`,
        ...countCells(rounds.flatMap(({ report }) => report.clients)),
      ];
    });
    const lines = [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |\n`);
    return rows.length === 0 ? "" : `\n${lines.join("")}\n`;
  }
}

/** `23`, or with several rounds the median and in brackets the least and the most. */
export function spread(values: readonly number[]): string {
  const sorted = values.map(Math.round).toSorted((one, other) => one - other);
  const [least, most] = [sorted[0] ?? 0, sorted.at(-1) ?? 0];
  const middle = sorted.length / 2;
  const median = ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
  return sorted.length === 1 ? `${least}` : `${Math.round(median)} (${least}–${most})`;
}
