import { type ComparedSeries, type ComparisonOptions, compare, renderComparison } from "./comparison.ts";
import { type DurabilityPath, DurabilityServers, durabilities } from "./durability-servers.ts";

/** What a run is told. */
export interface DurabilityBenchOptions extends ComparisonOptions {
  readonly basePort: number;
  readonly replicas: number;
}

/** Everything that one run measured. */
export interface DurabilityResult {
  readonly replicas: number;
  readonly series: readonly ComparedSeries<DurabilityPath>[];
}

/** Measures all durabilities interleaved, on the same master. */
export async function runDurabilityBench(options: DurabilityBenchOptions): Promise<DurabilityResult> {
  const { basePort, replicas, onProgress } = options;
  onProgress(`starting redis-server with ${replicas} replicas, a Sentinel and three proxies`);
  const servers = await DurabilityServers.start(basePort, replicas);
  try {
    const candidates = durabilities.map((name) => ({ name, port: servers.ports[name] }));
    return { replicas, series: await compare(candidates, options) };
  } finally {
    await servers.stop();
  }
}

/** The result as a table in Markdown. */
export function renderDurability({ replicas, series }: DurabilityResult): string {
  return renderComparison(`${replicas} replica${replicas === 1 ? "" : "s"}`, durabilities, series);
}
