import { ratioOf, type Spread, spreadOf } from "../bench/statistics.ts";
import type { AttackVolume } from "./attacker.ts";
import type { NormalPhase } from "./normal-client.ts";

/** One phase: what the normal client saw, and what the attacker sent meanwhile, to the proxy or to a sink. */
export interface Phase {
  readonly normal: NormalPhase;
  readonly sent: AttackVolume;
  /** Seconds of CPU time of the proxy. */
  readonly proxyCpu: number;
}

/** Two phases next to each other: the attacker works equally hard in both. */
export interface Round {
  /** The attacker sends to a sink. */
  readonly off: Phase;
  /** The attacker sends to the proxy. */
  readonly on: Phase;
}

/** The outcome of a run, as it is written as JSON. */
export interface HostileResult {
  readonly seed: number;
  readonly attacks: readonly string[];
  /** Whom the normal client asks. */
  readonly normalAt: "proxy" | "redis";
  readonly rounds: readonly Round[];
  /** Resident memory of the proxy in MiB, one value a second, and the highest that the kernel has seen. */
  readonly rss: readonly number[];
  readonly rssPeak: number;
  /** How the proxy has ended and its last words; undefined when it is still there. */
  readonly crash?: string;
  /** What the normal client has noticed; the first 20 in words. */
  readonly noticed: number;
  readonly notices: readonly string[];
  /** The proxy's counters at the end. */
  readonly counters: Readonly<Record<string, number>>;
}

/** Limits of a run. */
export interface HostileLimits {
  readonly rssCapMiB: number;
  /** The normal client's p99 under attack, as a multiple of that beside an attack on a sink. */
  readonly p99Ratio: number;
}

export interface Verdict {
  readonly what: string;
  readonly value: string;
  readonly limit: string;
  readonly kept: boolean;
}

/** The ratios of the rounds' p99, attack on against attack off. */
export function p99Ratios(rounds: readonly Round[]): Spread {
  return ratioOf(
    rounds.map(({ on }) => on.normal.p99),
    rounds.map(({ off }) => off.normal.p99),
  );
}

/** Whether each limit was kept. */
export function judge(result: HostileResult, { rssCapMiB, p99Ratio }: HostileLimits): Verdict[] {
  const { median } = result.rounds.length > 0 ? p99Ratios(result.rounds) : { median: Number.NaN };
  return [
    { what: "crashes", value: result.crash ?? "none", limit: "none", kept: result.crash === undefined },
    {
      what: "highest RSS",
      value: `${result.rssPeak.toFixed(0)} MiB`,
      limit: `${rssCapMiB} MiB`,
      kept: result.rssPeak <= rssCapMiB,
    },
    {
      what: "errors, wrong answers and lost connections of the normal client",
      value: String(result.noticed),
      limit: "0",
      kept: result.noticed === 0,
    },
    {
      what: "normal client's p99, attack on / off, median of the rounds",
      value: median.toFixed(3),
      limit: p99Ratio.toFixed(2),
      kept: median <= p99Ratio,
    },
  ];
}

/** What a person wants to read. */
export function renderReport(result: HostileResult, limits: HostileLimits): string {
  const { rounds } = result;
  const lines = [`seed ${result.seed}, ${rounds.length} rounds, attacks: ${result.attacks.join(", ")}`, ""];
  if (result.normalAt === "redis") lines.push("The normal client asks Redis itself.", "");
  if (rounds.length > 0) {
    const row = (name: string, pick: (phase: Phase) => number, digits: number): string => {
      const cells = (["off", "on"] as const).map((side) => {
        const { median, min, max } = spreadOf(rounds.map((round) => pick(round[side])));
        return `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`.padStart(28);
      });
      return name.padEnd(26) + cells.join("");
    };
    lines.push(
      `${"".padEnd(26)}${"attack on a sink".padStart(28)}${"attack on the proxy".padStart(28)}`,
      row("normal p50, ms", ({ normal }) => normal.p50, 3),
      row("normal p99, ms", ({ normal }) => normal.p99, 3),
      row("normal max, ms", ({ normal }) => normal.max, 1),
      row("normal requests", ({ normal }) => normal.requests, 0),
      row("hostile KiB", ({ sent }) => sent.bytes / 1024, 0),
      row("hostile connections", ({ sent }) => sent.connections, 0),
      row("attacks", ({ sent }) => sent.attacks, 0),
      row("proxy CPU, s", ({ proxyCpu }) => proxyCpu, 2),
      "",
    );
  }
  for (const [name, value] of Object.entries(result.counters)) lines.push(`${name} ${value}`);
  for (const notice of result.notices) lines.push(`noticed: ${notice}`);
  lines.push("");
  for (const { what, value, limit, kept } of judge(result, limits)) {
    lines.push(`${kept ? "kept  " : "BROKEN"}  ${what}: ${value} (limit ${limit})`);
  }
  return lines.join("\n");
}
