/** The ways to the same Redis that are compared. */
export type Path = "direct" | "haproxy" | "proxy";

export const paths: readonly Path[] = ["direct", "haproxy", "proxy"];

/** One load of redis-benchmark. */
export interface Scenario {
  readonly name: string;
  /** Arguments of redis-benchmark, without the number of requests. */
  readonly args: readonly string[];
  /** Requests of one round at scale 1. */
  readonly requests: number;
  readonly payloadBytes: number;
  /** Least ratio of the proxy's requests per second to another path's. */
  readonly targets: Readonly<Partial<Record<Exclude<Path, "proxy">, number>>>;
}

const payloadBytes = 64;

/** The loads, with the ratios that the proxy is to reach. */
export const scenarios: readonly Scenario[] = [
  { name: "c=1", args: ["-c", "1"], requests: 20_000, payloadBytes, targets: { haproxy: 1 } },
  {
    name: "c=50",
    args: ["-c", "50"],
    requests: 200_000,
    payloadBytes,
    targets: { direct: 1.4, haproxy: 2.2 },
  },
  { name: "c=500", args: ["-c", "500"], requests: 200_000, payloadBytes, targets: { direct: 1.2 } },
  {
    name: "c=50 -P 16",
    args: ["-c", "50", "-P", "16"],
    requests: 1_600_000,
    payloadBytes,
    targets: { direct: 0.9 },
  },
  {
    name: "1 MiB values",
    args: ["-c", "10"],
    requests: 2000,
    payloadBytes: 2 ** 20,
    targets: { haproxy: 1 },
  },
];

/** Greatest ratio of Redis' CPU time per command through the proxy to that without it, at c=50. */
export const redisCpuTarget = 0.6;

/** Greatest memory of the proxy with so many idle clients. */
export const idleTarget = { clients: 10_000, rssMiB: 100 } as const;
