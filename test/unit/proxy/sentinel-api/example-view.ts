import type {
  SentinelApiServerFacts,
  SentinelApiView,
} from "../../../../proxy/sentinel-api/sentinel-api-view.ts";

/** A view while everything is well, with the differences that a test wants. */
export function exampleView(differences: Partial<SentinelApiView> = {}): SentinelApiView {
  return {
    masterName: "mymaster",
    announced: { host: "proxy.example", port: 6379 },
    announcedSentinel: { host: "proxy.example", port: 26379 },
    configEpoch: 7,
    quorum: 2,
    sentinelCount: 3,
    reachableSentinels: 3,
    replicaCount: 2,
    downAfterMs: 1000,
    failoverTimeoutMs: 6000,
    parallelSyncs: 2,
    runId: "a".repeat(40),
    myId: "b".repeat(40),
    following: true,
    unchangedForMs: 12_345,
    ...differences,
  };
}

export const exampleFacts: SentinelApiServerFacts = {
  redisVersion: "7.0.15",
  tcpPort: 26379,
  processId: 42,
  uptimeSeconds: 90_000,
  connectedClients: 3,
  maxClients: 100,
};

/** The arguments of a command line without quoting. */
export function command(line: string): Buffer[] {
  return line.split(" ").map((word) => Buffer.from(word));
}
