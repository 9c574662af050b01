import type { Agreement } from "../../quorum/agreement.ts";
import { sameAddress } from "../../runtime/address.ts";
import type { PeerView } from "../start/decide-start.ts";
import { formatHeartbeat, type Heartbeat, isNewer } from "../supervise/heartbeat.ts";
import type { History } from "./history.ts";

/** An instance's copy of the data, as far as it decides whose copy may take its place. */
export interface CopyInSight {
  readonly history: History;
  /** The last heartbeat that it has; undefined: it is empty, or lost its volume. */
  readonly heartbeat: Heartbeat | undefined;
  /** A replica has joined it since it was last seen as a replica itself: what it took as a master may have been confirmed. */
  readonly wasJoined: boolean;
  /** Its machine went down while it ran: it lacks some of what it has confirmed, and proves nothing by what it has beyond its last heartbeat. Default false. */
  readonly crashed?: boolean;
  /** All that it has it got from the other one, which it followed until it was promoted itself. Default false. */
  readonly fromOther?: boolean;
}

/** Whether an instance follows another one, and why. `proven`: whatever it has itself. */
export type JoinVerdict =
  | {
      readonly joins: true;
      readonly because: "proven" | "continues" | "newer" | "never-led" | "new" | "back";
    }
  | { readonly joins: false; readonly reason: string };

/**
 * The rule of `redis:durability quorum`: an instance follows a master only when nothing that it has, and the master may lack, can have been confirmed.
 *
 * A write is confirmed when a majority of all instances has it, and a master takes none before it and those that have joined it are a majority. As long
 * as each of these had only what the master has, any confirmed write of before is the master's, too, since two majorities have an instance in common. So the
 * first to join must have nothing that the master lacks; once it has led, which its heartbeat of this epoch proves, all others may
 * throw away what they have. An instance without a heartbeat is a copy that is missing, and proves nothing.
 *
 * @param own the copy of the instance that is to follow.
 * @param master the copy of the one that is to be followed.
 * @param configEpoch at which the Sentinels agree on that one; undefined: its promotion isn't announced yet.
 */
export function judgeJoin(
  own: CopyInSight,
  master: CopyInSight,
  configEpoch: number | undefined,
): JoinVerdict {
  const [ours, theirs] = [own.history, master.history];
  if (theirs.role !== "master") return { joins: false, reason: "it is no master" };
  // Sentinels that have lost their files begin anew at epoch 0, and what they say proves nothing.
  const forgotten = configEpoch !== undefined && configEpoch < (own.heartbeat?.epoch ?? 0);
  const ledAt = master.heartbeat?.epoch ?? -1;
  if (configEpoch !== undefined && !forgotten && ledAt >= configEpoch)
    return { joins: true, because: "proven" };
  const same = ours.id === theirs.id && ours.role === "replica" && ours.offset <= theirs.offset;
  const before = ours.id === theirs.formerId && ours.offset < theirs.formerUntil;
  if (same || before) return { joins: true, because: "continues" };
  if (
    ours.role === "master" &&
    !own.wasJoined &&
    hasFormerOf(ours, theirs) &&
    !isNewer(own.heartbeat, master.heartbeat, 0)
  )
    return { joins: true, because: "never-led" };
  // Its old master has come back before anybody had joined this one.
  if (
    ours.role === "master" &&
    own.fromOther === true &&
    !own.wasJoined &&
    !isNewer(own.heartbeat, master.heartbeat, 0)
  )
    return { joins: true, because: "back" };
  if (own.heartbeat === undefined) {
    return master.heartbeat === undefined
      ? { joins: true, because: "new" }
      : { joins: false, reason: "this volume is new or was lost, and that master hasn't led yet" };
  }
  // All of them are in one stream: whoever has a later one has everything that came before it.
  const atLeast = own.crashed === true && !isNewer(own.heartbeat, master.heartbeat, 0);
  if (atLeast || isNewer(master.heartbeat, own.heartbeat, 0)) return { joins: true, because: "newer" };
  const theirBeat = master.heartbeat === undefined ? "none" : formatHeartbeat(master.heartbeat);
  return {
    joins: false,
    reason: `it hasn't led yet, and may lack what this one has (heartbeats ${theirBeat} and ${formatHeartbeat(own.heartbeat)})`,
  };
}

/** It was promoted, and the other one has all that it had then. What it has had since is its own PING, when nobody ever joined it. */
function hasFormerOf({ formerId, formerUntil }: History, theirs: History): boolean {
  if (!/[^0]/.test(formerId)) return false;
  return (
    (formerId === theirs.formerId && formerUntil <= theirs.formerUntil) ||
    (formerId === theirs.id && formerUntil <= theirs.offset + 1)
  );
}

/**
 * Whether an instance that refuses to follow the named one has to be promoted itself, or they would wait for each other: nobody has led since the
 * heartbeat that it has, and it has all that was confirmed until then, since it led itself or has heard more.
 *
 * @param own the last heartbeat of its copy. @param ledIn the epoch in which it led when it ended.
 */
export function shouldLeadInstead(
  own: Heartbeat | undefined,
  ledIn: number | undefined,
  named: Heartbeat | undefined,
  configEpoch: number,
): boolean {
  if (own === undefined || (named?.epoch ?? -1) >= configEpoch) return false;
  return isNewer(own, named, 0) || (ledIn === own.epoch && !isNewer(named, own, 0));
}

/** The other instances that answer, and the master that the Sentinels agree on. */
export interface Others {
  readonly instanceCount: number;
  readonly peers: readonly Pick<PeerView, "address" | "role" | "heartbeat">[];
  readonly agreement: Agreement;
}

/**
 * With `redis:durability quorum`: whether enough copies are there for this one to lead when the master is gone. A master that leads is no such copy; one that
 * nobody names, or that was promoted and hasn't led yet, is.
 */
export function couldLead({ instanceCount, peers, agreement }: Others): boolean {
  const leads = ({ address, role, heartbeat }: Others["peers"][number]): boolean =>
    role === "master" &&
    agreement.kind === "agreed" &&
    sameAddress(address, agreement.master) &&
    (heartbeat?.epoch ?? -1) >= agreement.configEpoch;
  const copies = 1 + peers.filter((peer) => !leads(peer)).length;
  return copies * 2 > instanceCount;
}
