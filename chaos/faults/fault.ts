import type { LocalTopology } from "../../local/local-topology.ts";
import type { ClusterControl, NamedPart } from "../cluster-control.ts";
import { monotonicMs } from "../monotonic-clock.ts";
import type { Random } from "../seeded-random.ts";
import type { SentinelAnnouncements } from "../sentinel-announcements.ts";
import { waitUntil } from "../wait-until.ts";

/** What a fault works with. */
export interface FaultContext {
  readonly topology: LocalTopology;
  readonly cluster: ClusterControl;
  readonly announcements: SentinelAnnouncements;
  /** The master before the fault. */
  readonly master: NamedPart;
  readonly random: Random;
  readonly say: (line: string) => void;
}

/** Something that goes wrong, or is done on purpose, while clients write. */
export interface Fault {
  readonly name: string;
  /** For people, one line. */
  readonly summary: string;
  /** Another instance is master afterwards. */
  readonly failover: boolean;
  /** What a client may see beside acknowledgements. */
  readonly allows: {
    /** Its connection ends. */
    readonly disconnects: boolean;
    /** A write in flight is answered with UNCERTAIN. */
    readonly uncertain: boolean;
    /** Nobody listens for a moment, and a client that doesn't wait for that is told so. */
    readonly refusedConnections: boolean;
  };
  /**
   * Makes it happen, and whatever belongs to it afterwards; parts that have ended are started again by the caller.
   *
   * @returns when it happened, ms of the monotonic clock.
   */
  readonly inject: (context: FaultContext) => Promise<number>;
}

/** The first announcement of another master. It takes down-after and about a second; after an aborted failover longer. */
export async function announced(
  { announcements, master }: FaultContext,
  sinceMs: number,
  withinMs = 20_000,
): Promise<void> {
  await waitUntil(
    "a Sentinel announces another master",
    () => announcements.firstSince(sinceMs, master.address),
    withinMs,
  );
}

/**
 * Another master was announced, and the killed one's entrypoint has ended, too: it may outlive its redis-server by seconds,
 * and whoever looks earlier doesn't know that it has to be started again.
 */
export async function announcedAndEnded(context: FaultContext, sinceMs: number): Promise<void> {
  await announced(context, sinceMs);
  await context.cluster.waitForEnd(context.master);
}

/** Kills the master's redis-server alone, as the kernel does when memory is short. @returns when. */
export async function killServer({ cluster, master }: FaultContext): Promise<number> {
  const pid = await cluster.serverPid(master);
  const atMs = monotonicMs();
  process.kill(pid, "SIGKILL");
  return atMs;
}
