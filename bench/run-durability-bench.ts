import { type DurabilityPath, DurabilityServers, durabilities } from "./durability-servers.ts";
import { type Measurement, runRedisBenchmark } from "./redis-benchmark.ts";
import type { Scenario } from "./scenarios.ts";
import { ratioOf, type Spread, spreadOf } from "./statistics.ts";

/** What a run is told. */
export interface DurabilityBenchOptions {
  readonly scenarios: readonly Scenario[];
  readonly rounds: number;
  /** Factor on the number of requests. */
  readonly scale: number;
  readonly basePort: number;
  readonly replicas: number;
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
}

/** The rounds of one scenario and command, by durability. */
export interface DurabilitySeries {
  readonly scenario: string;
  readonly command: string;
  readonly measured: Readonly<Record<DurabilityPath, readonly Measurement[]>>;
}

/** Everything that one run measured. */
export interface DurabilityResult {
  readonly replicas: number;
  readonly series: readonly DurabilitySeries[];
}

/** Measures both durabilities interleaved, on the same master: in each round one after the other. */
export async function runDurabilityBench(options: DurabilityBenchOptions): Promise<DurabilityResult> {
  const { basePort, replicas, rounds, scale, onProgress, signal } = options;
  onProgress(`starting redis-server with ${replicas} replicas, a Sentinel and two proxies`);
  const servers = await DurabilityServers.start(basePort, replicas);
  const all = new Map<string, DurabilitySeries & { measured: Record<DurabilityPath, Measurement[]> }>();
  try {
    for (const scenario of options.scenarios) {
      const requests = Math.max(Math.round(scenario.requests * scale), 100);
      for (let round = 1; round <= rounds; round++) {
        for (const durability of durabilities) {
          onProgress(`${scenario.name}, round ${round} of ${rounds}, ${durability}`);
          const load = { ...scenario, requests };
          for (const one of await runRedisBenchmark(servers.ports[durability], scenario.args, load, signal)) {
            const name = `${scenario.name} ${one.command}`;
            const series = all.get(name) ?? {
              scenario: scenario.name,
              command: one.command,
              measured: { async: [], sync: [] },
            };
            series.measured[durability].push(one);
            all.set(name, series);
          }
        }
      }
    }
  } finally {
    await servers.stop();
  }
  return { replicas, series: [...all.values()] };
}

/** The result as a table in Markdown: medians, and the ratio of the requests per second with its smallest and greatest value. */
export function renderDurability({ replicas, series }: DurabilityResult): string {
  const rows = series.map(({ scenario, command, measured: { async, sync } }) => {
    const rps = (some: readonly Measurement[]) => some.map(({ requestsPerSecond }) => requestsPerSecond);
    const ms = (some: readonly Measurement[], key: "p50Ms" | "p99Ms") =>
      spreadOf(some.map((one) => one[key])).median.toFixed(2);
    const cells = [
      `${scenario} ${command}`,
      show(spreadOf(rps(async)), 0),
      show(spreadOf(rps(sync)), 0),
      show(ratioOf(rps(sync), rps(async)), 2),
      `${ms(async, "p50Ms")} / ${ms(async, "p99Ms")}`,
      `${ms(sync, "p50Ms")} / ${ms(sync, "p99Ms")}`,
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return [
    `| ${replicas} replica${replicas === 1 ? "" : "s"} | async, requests/s | sync, requests/s | sync ÷ async | async, p50 / p99 ms | sync, p50 / p99 ms |`,
    "|---|---|---|---|---|---|",
    ...rows,
  ].join("\n");
}

function show({ median, min, max }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
}
