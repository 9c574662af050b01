import { type Measurement, runRedisBenchmark } from "./redis-benchmark.ts";
import type { Scenario } from "./scenarios.ts";
import { ratioOf, type Spread, spreadOf } from "./statistics.ts";

/** One of several endpoints that get the same load. */
export interface Candidate<Name extends string> {
  readonly name: Name;
  readonly port: number;
  /** What redis-benchmark needs to be let in. */
  readonly args?: readonly string[];
}

/** What a comparison is told. */
export interface ComparisonOptions {
  readonly scenarios: readonly Scenario[];
  readonly rounds: number;
  /** Factor on the number of requests. */
  readonly scale: number;
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
}

/** The rounds of one scenario and command, by candidate. */
export interface ComparedSeries<Name extends string> {
  readonly scenario: string;
  readonly command: string;
  readonly measured: Readonly<Record<Name, readonly Measurement[]>>;
}

/** Measures all candidates interleaved: in each round one after the other. */
export async function compare<Name extends string>(
  candidates: readonly Candidate<Name>[],
  { scenarios, rounds, scale, onProgress, signal }: ComparisonOptions,
): Promise<ComparedSeries<Name>[]> {
  const all = new Map<string, ComparedSeries<Name> & { readonly measured: Record<Name, Measurement[]> }>();
  const none = (): Record<Name, Measurement[]> =>
    Object.fromEntries(candidates.map(({ name }) => [name, []])) as unknown as Record<Name, Measurement[]>;
  for (const scenario of scenarios) {
    const load = { ...scenario, requests: Math.max(Math.round(scenario.requests * scale), 100) };
    for (let round = 1; round <= rounds; round++) {
      for (const { name, port, args = [] } of candidates) {
        onProgress(`${scenario.name}, round ${round} of ${rounds}, ${name}`);
        for (const one of await runRedisBenchmark(port, [...scenario.args, ...args], load, signal)) {
          const key = `${scenario.name} ${one.command}`;
          const series = all.get(key) ?? {
            scenario: scenario.name,
            command: one.command,
            measured: none(),
          };
          series.measured[name].push(one);
          all.set(key, series);
        }
      }
    }
  }
  return [...all.values()];
}

/** Requests per second of one candidate, as a part of another one's, round by round. */
export function speedRatio<Name extends string>(
  { measured }: ComparedSeries<Name>,
  name: Name,
  base: Name,
): Spread {
  const rps = (of: Name): number[] => measured[of].map(({ requestsPerSecond }) => requestsPerSecond);
  return ratioOf(rps(name), rps(base));
}

/** A table in Markdown: medians, and the ratio of the requests per second with its smallest and greatest value. */
export function renderComparison<Name extends string>(
  title: string,
  names: readonly [Name, ...Name[]],
  series: readonly ComparedSeries<Name>[],
): string {
  const [base, ...others] = names;
  const ms = (some: readonly Measurement[], key: "p50Ms" | "p99Ms"): string =>
    spreadOf(some.map((one) => one[key])).median.toFixed(2);
  const rows = series.map((one) => [
    `${one.scenario} ${one.command}`,
    ...names.map((name) =>
      showSpread(spreadOf(one.measured[name].map(({ requestsPerSecond }) => requestsPerSecond)), 0),
    ),
    ...others.map((name) => showSpread(speedRatio(one, name, base), 2)),
    ...names.map((name) => `${ms(one.measured[name], "p50Ms")} / ${ms(one.measured[name], "p99Ms")}`),
  ]);
  const head = [
    title,
    ...names.map((name) => `${name}, requests/s`),
    ...others.map((name) => `${name} ÷ ${base}`),
    ...names.map((name) => `${name}, p50 / p99 ms`),
  ];
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** `1.20 (1.10–1.31)` */
export function showSpread({ median, min, max }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
}
