import { setTimeout as delay } from "node:timers/promises";
import type { LocalTopology } from "../../../cli/local/local-topology.ts";
import type { PartNetwork } from "../../../cli/local/part-network.ts";
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
  /** Undefined: all parts share the loopback, and nothing can be cut off. */
  readonly network: PartNetwork | undefined;
  /** Tells that the clients of this proxy are on the wrong side: what happens to them is judged apart. */
  readonly cutOff: (proxy: NamedPart) => void;
  /** Something that the fault itself checks is wrong: the round goes on, and is a broken one. */
  readonly broken: (text: string) => void;
}

/** What a client may see beside acknowledgements. */
export interface Allowance {
  /** Its connection ends. */
  readonly disconnects: boolean;
  /** A write in flight is answered with UNCERTAIN. */
  readonly uncertain: boolean;
  /** Nobody listens for a moment, and a client that doesn't wait for that is told so. */
  readonly refusedConnections: boolean;
  /** A library may tell that its connection was lost, where it doesn't send again by itself. Default false. */
  readonly lostConnections?: boolean;
  /** Further classes of errors. Default none. */
  readonly errors?: readonly string[];
  /**
   * Acknowledged writes that may be lost without durability: those sent in this time around the fault, ms. They are reported,
   * apart from those that may not. Default none.
   */
  readonly lost?: LossWindow;
  /** What the clients of a proxy that was cut off or killed may see instead. Default: the same as all others. */
  readonly cutOff?: Allowance;
  /** Writes may run twice, since a client sends again by itself what was in flight on a lost connection. Default false. */
  readonly resent?: boolean;
}

/** From and until so many ms after the fault. */
export interface LossWindow {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** `redis:durability`: with `sync` no acknowledged write may be lost but by a fault that is {@link Fault.beyondSync}, with `quorum` by none. */
export type DurabilityMode = "async" | "sync" | "quorum";

/** What a client may see: with `sync` any write may be unconfirmed, and is told so. */
export function allowedWith(durability: DurabilityMode, allows: Allowance): Allowance {
  return durability === "async" ? allows : { ...allows, uncertain: true };
}

/** Whether a fault may cost acknowledged writes, in the time that its {@link Allowance.lost} says. */
export function mayLoseWith(
  durability: DurabilityMode,
  { beyondSync = false }: Pick<Fault, "beyondSync">,
): boolean {
  return durability === "async" || (durability === "sync" && beyondSync);
}

/** What a failover shows to clients: commands in flight may be uncertain, and nothing else. */
export const asFailover: Allowance = { disconnects: false, uncertain: true, refusedConnections: false };

/** Nothing at all. */
export const unnoticed: Allowance = { disconnects: false, uncertain: false, refusedConnections: false };

/** Something that goes wrong, or is done on purpose, while clients write. */
export interface Fault {
  readonly name: string;
  /** For people, one line. */
  readonly summary: string;
  /** Whether another instance is master afterwards; `maybe` where either is right. */
  readonly failover: boolean | "maybe";
  /** It can only happen where every part is a host of its own, with a small disk of its own. */
  readonly needsNetwork?: boolean;
  /** Settings that the topology has to have from the start, `namespace:key` → value. Default none. */
  readonly needs?: Readonly<Record<string, string>>;
  /** It isn't one of those that are chosen at random. */
  readonly onlyByName?: boolean;
  /** With `quorum` it ends with instances that wait for a person, since nobody can tell whose copy has more: not chosen at random. Default false. */
  readonly waitsWithQuorum?: boolean;
  /** What is right with `quorum` instead. Default: the same. */
  readonly withQuorum?: Partial<Pick<Fault, "failover" | "gapMs" | "allows">>;
  /** It can cost what `sync` has confirmed: the replica that confirmed it is cut off, too. Default false. */
  readonly beyondSync?: boolean;
  /** Longest time in ms in which a client's writes aren't acknowledged; not for clients that were cut off. */
  readonly gapMs: number;
  /** What a client may see beside acknowledgements. */
  readonly allows: Allowance;
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

/** A kubelet takes longer. A program's start needs a core for itself, and what follows the announcement is measured. */
const restartedAfterMs = 300;

/**
 * Another master was announced, and the killed one's entrypoint has ended, too: it may outlive its redis-server by seconds,
 * and whoever looks earlier doesn't know that it has to be started again.
 */
export async function announcedAndEnded(context: FaultContext, sinceMs: number): Promise<void> {
  await announced(context, sinceMs);
  await Promise.all([context.cluster.waitForEnd(context.master), delay(restartedAfterMs)]);
}

/** Kills the master's redis-server alone, as the kernel does when memory is short. @returns when. */
export async function killServer({ cluster, master }: FaultContext): Promise<number> {
  const pid = await cluster.serverPid(master);
  const atMs = monotonicMs();
  process.kill(pid, "SIGKILL");
  return atMs;
}
