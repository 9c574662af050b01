import { Redis } from "ioredis";
import { BenchServers } from "./bench-servers.ts";
import { measureIdleClients } from "./idle-clients.ts";
import { type Latency, runPacedLoad } from "./paced-load.ts";
import { cpuSeconds } from "./process-cost.ts";
import { runRedisBenchmark } from "./redis-benchmark.ts";
import type { BenchResult, Series } from "./report.ts";
import { type Path, paths, type Scenario } from "./scenarios.ts";
import { spreadOf } from "./statistics.ts";

/** What a run of the benchmark is told. */
export interface BenchOptions {
  readonly scenarios: readonly Scenario[];
  readonly rounds: number;
  /** Factor on the number of requests. */
  readonly scale: number;
  readonly basePort: number;
  /** Idle clients for the memory test; 0: no such test. */
  readonly idleClients: number;
  /** Seconds of each round of the paced load; 0: no such test. */
  readonly pacedSeconds: number;
  /** Clients for the test of upstream connections; 0: no such test. */
  readonly manyClients: number;
  /** Options for the proxy's Node.js, such as `--cpu-prof`. */
  readonly nodeOptions: readonly string[];
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Measures all paths interleaved: in each round one after the other, so that the machine's moods hit all of them. */
export async function runBench(options: BenchOptions): Promise<BenchResult> {
  const { scenarios, onProgress, idleClients, manyClients } = options;
  onProgress("starting redis-server, a Sentinel, HAProxy and the proxy");
  const servers = await BenchServers.start(options.basePort, options.nodeOptions);
  try {
    if (idleClients > 0) onProgress(`${idleClients} idle clients`);
    // First: what a load leaves behind in the heap isn't theirs.
    const idle =
      idleClients === 0
        ? {}
        : { idle: await measureIdleClients(servers.ports.proxy, servers.pid("proxy"), idleClients) };
    const series: Series[] = [];
    const cpu = { direct: [] as number[], proxy: [] as number[] };
    for (const scenario of scenarios) series.push(...(await measure(servers, scenario, options, cpu)));
    const paced = await measurePaced(servers, series, options);
    return {
      series,
      ...(paced === undefined ? {} : { paced }),
      ...idle,
      ...(cpu.proxy.length > 0 ? { redisCpuUs: cpu } : {}),
      ...(manyClients > 0 ? { upstreams: await countUpstreams(servers, manyClients, options) } : {}),
    };
  } finally {
    await servers.stop();
  }
}

async function measure(
  servers: BenchServers,
  scenario: Scenario,
  { rounds, scale, onProgress, signal }: BenchOptions,
  cpu: { readonly direct: number[]; readonly proxy: number[] },
): Promise<Series[]> {
  const requests = Math.max(Math.round(scenario.requests * scale), 100);
  const byCommand = new Map<string, Record<Path, number[]>>();
  for (let round = 1; round <= rounds; round++) {
    for (const path of paths) {
      onProgress(`${scenario.name}, round ${round} of ${rounds}, ${path}`);
      const before = cpuSeconds(servers.pid("redis"));
      const measured = await runRedisBenchmark(
        servers.ports[path],
        scenario.args,
        { ...scenario, requests },
        signal,
      );
      const usPerCommand = ((cpuSeconds(servers.pid("redis")) - before) * 1e6) / (requests * measured.length);
      if (scenario.name === "c=50" && path !== "haproxy") cpu[path].push(usPerCommand);
      for (const { command, requestsPerSecond } of measured) {
        const rps = byCommand.get(command) ?? { direct: [], haproxy: [], proxy: [] };
        byCommand.set(command, rps);
        rps[path].push(requestsPerSecond);
      }
    }
  }
  return [...byCommand].map(([command, rps]) => ({ scenario, command, rps }));
}

/** Part of what the slowest path can do at c=50: a load that all of them bear well. */
const pacedShare = 0.3;

async function measurePaced(
  { ports }: BenchServers,
  series: readonly Series[],
  { rounds, pacedSeconds, onProgress, signal }: BenchOptions,
): Promise<BenchResult["paced"]> {
  const at50 = series.find(({ scenario, command }) => scenario.name === "c=50" && command === "GET");
  if (pacedSeconds === 0 || at50 === undefined) return undefined;
  const slowest = Math.min(...paths.map((path) => spreadOf(at50.rps[path]).median));
  const perSecond = Math.round(pacedShare * slowest);
  const latency: Record<Path, Latency[]> = { direct: [], haproxy: [], proxy: [] };
  for (let round = 1; round <= rounds; round++) {
    for (const path of paths) {
      signal.throwIfAborted();
      onProgress(`${perSecond} requests a second, round ${round} of ${rounds}, ${path}`);
      const load = { connections: 50, perSecond, seconds: pacedSeconds, payloadBytes: 64 };
      latency[path].push(await runPacedLoad({ port: ports[path], ...load }));
    }
  }
  return { perSecond, latency };
}

/** How many connections Redis sees while few and while many clients work through the proxy. */
async function countUpstreams(
  servers: BenchServers,
  clients: number,
  { onProgress, signal }: BenchOptions,
): Promise<{ few: number; many: number; clients: number }> {
  const redis = new Redis({ port: servers.ports.direct, protocol: 2 });
  const during = async (count: number): Promise<number> => {
    onProgress(`connections to Redis with ${count} clients`);
    let most = 0;
    const look = setInterval(() => {
      redis.client("LIST").then(
        (list) => {
          most = Math.max(most, String(list).trim().split("\n").length);
        },
        () => undefined,
      );
    }, 20);
    const load = { requests: count * 20, payloadBytes: 64 };
    await runRedisBenchmark(servers.ports.proxy, ["-c", String(count)], load, signal);
    clearInterval(look);
    return most;
  };
  try {
    return { few: await during(50), many: await during(clients), clients };
  } finally {
    redis.disconnect();
  }
}
