import { showSpread } from "./comparison.ts";
import type { IdleCost } from "./idle-clients.ts";
import type { Latency } from "./paced-load.ts";
import { idleTarget, type Path, redisCpuTarget, type Scenario } from "./scenarios.ts";
import { ratioOf, type Spread, spreadOf } from "./statistics.ts";

/** The rounds of one scenario and command: requests per second, path by path. */
export interface Series {
  readonly scenario: Scenario;
  readonly command: string;
  readonly rps: Readonly<Record<Path, readonly number[]>>;
}

/** Everything that one run measured. */
export interface BenchResult {
  readonly series: readonly Series[];
  /** Microseconds of Redis' CPU time per command at c=50, round by round. */
  readonly redisCpuUs?: { readonly direct: readonly number[]; readonly proxy: readonly number[] };
  readonly idle?: IdleCost;
  /** Latency under a paced load of so many requests a second, round by round. */
  readonly paced?: {
    readonly perSecond: number;
    readonly latency: Readonly<Record<Path, readonly Latency[]>>;
  };
  /** Connections that Redis had from the proxy with few and with many clients. */
  readonly upstreams?: { readonly few: number; readonly many: number; readonly clients: number };
}

/** One comparison with a target. */
export interface Verdict {
  readonly what: string;
  readonly ratio: Spread;
  readonly target: number;
  readonly reached: boolean;
}

/** Compares all that was measured with its targets. */
export function judge({ series, redisCpuUs, idle, upstreams }: BenchResult): Verdict[] {
  const verdicts: Verdict[] = series.flatMap(({ scenario, command, rps }) =>
    Object.entries(scenario.targets).map(([path, target]) => {
      const ratio = ratioOf(rps.proxy, rps[path as Exclude<Path, "proxy">]);
      const what = `${scenario.name} ${command}: proxy ÷ ${path}`;
      return { what, ratio, target, reached: ratio.median >= target };
    }),
  );
  if (redisCpuUs !== undefined) {
    const ratio = ratioOf(redisCpuUs.proxy, redisCpuUs.direct);
    const reached = ratio.median <= redisCpuTarget;
    verdicts.push({ what: "Redis CPU per command, at most", ratio, target: redisCpuTarget, reached });
  }
  if (idle !== undefined) {
    const ratio = spreadOf([idle.withClientsMiB]);
    const reached = idle.withClientsMiB <= idleTarget.rssMiB;
    verdicts.push({
      what: `MiB with ${idle.clients} idle clients, at most`,
      ratio,
      target: idleTarget.rssMiB,
      reached,
    });
  }
  if (upstreams !== undefined) {
    const ratio = spreadOf([upstreams.many]);
    const what = `connections to Redis with ${upstreams.clients} clients, at most`;
    verdicts.push({ what, ratio, target: upstreams.few, reached: upstreams.many <= upstreams.few });
  }
  return verdicts;
}

/** The result as text: a table of medians, and the verdicts. */
export function renderReport(result: BenchResult): string {
  const lines = ["requests per second, medians", row(["", "direct", "HAProxy", "proxy"])];
  for (const { scenario, command, rps } of result.series) {
    const cells = [rps.direct, rps.haproxy, rps.proxy].map((values) =>
      Math.round(spreadOf(values).median).toString(),
    );
    lines.push(row([`${scenario.name} ${command}`, ...cells]));
  }
  if (result.paced !== undefined) {
    const { perSecond, latency } = result.paced;
    lines.push("", `milliseconds at ${perSecond} GETs a second, medians`);
    for (const share of ["p50Ms", "p99Ms"] as const) {
      const cells = [latency.direct, latency.haproxy, latency.proxy].map((rounds) =>
        spreadOf(rounds.map((round) => round[share])).median.toFixed(2),
      );
      lines.push(row([share.slice(0, 3), ...cells]));
    }
  }
  return [...lines, "", "ratios, medians (min–max)", renderVerdicts(judge(result))].join("\n");
}

/** A line for each comparison. */
export function renderVerdicts(verdicts: readonly Verdict[]): string {
  return verdicts
    .map(
      ({ what, ratio, target, reached }) =>
        `${reached ? "  ok  " : "  MISS"} ${what.padEnd(52)} ${showSpread(ratio, 2).padStart(22)}   target ${target}`,
    )
    .join("\n");
}

function row([name = "", ...cells]: readonly string[]): string {
  return `${name.padEnd(20)}${cells.map((cell) => cell.padStart(12)).join("")}`;
}
