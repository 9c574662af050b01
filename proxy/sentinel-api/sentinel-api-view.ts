import type { Address } from "../../runtime/address.ts";

/** What the Sentinel API says, at one moment. */
export interface SentinelApiView {
  readonly masterName: string;
  /** The proxy itself: where Sentinel clients shall connect. */
  readonly announced: Address;
  /** The Sentinel port of all proxies together: what `SENTINEL SENTINELS` tells of others. */
  readonly announcedSentinel: Address;
  /** The real Sentinels' epoch of the master that is followed; 0 before the first. */
  readonly configEpoch: number;
  readonly quorum: number;
  readonly sentinelCount: number;
  /** Sentinels that answered in the last round. */
  readonly reachableSentinels: number;
  readonly replicaCount: number;
  readonly downAfterMs: number;
  readonly failoverTimeoutMs: number;
  readonly parallelSyncs: number;
  /** The run ID of the announced master, and the ID of this Sentinel: 40 hexadecimal digits, the same for a process's life. */
  readonly runId: string;
  readonly myId: string;
  /**
   * Whether commands are executed, or held because they soon will be. False before the first verified master and past the
   * hold deadline: only then the announced master is flagged as down, and clients that look at the flags stay away.
   */
  readonly following: boolean;
  /** Milliseconds since `following` became what it is. */
  readonly unchangedForMs: number;
}

/** What the Sentinel port says about itself in HELLO and INFO. */
export interface SentinelApiServerFacts {
  /** A version of Redis: clients choose commands by it. */
  readonly redisVersion: string;
  readonly tcpPort: number;
  readonly processId: number;
  readonly uptimeSeconds: number;
  readonly connectedClients: number;
  readonly maxClients: number;
}
