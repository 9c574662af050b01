import { type Agreement, majorityOf, type SentinelView } from "../../quorum/agreement.ts";
import type { Role } from "../../quorum/ask-role.ts";
import { type Address, sameAddress } from "../../runtime/address.ts";

/**
 * What the supervisor sees in one look. All times are of one monotonic clock, in ms: since when something is so, look after look; undefined: it
 * isn't.
 */
export interface SupervisionObservation {
  readonly nowMs: number;
  readonly self: Address;
  readonly agreement: Agreement;
  /** Since when the Sentinels agree on this master. One look can fall into the middle of a failover. */
  readonly agreedSinceMs: number | undefined;
  readonly role: Role;
  /**
   * The agreed master says that it is one, no Sentinel fails it over, and fewer than their quorum see it down. Between a promotion and its
   * announcement the Sentinels still name the old master: whoever obeyed them then would undo the failover.
   */
  readonly masterConfirmed: boolean;
  /** Its link with its master is up, and the stream has begun. */
  readonly streaming: boolean;
  /** `replica-priority` now. 0: the Sentinels must not promote this instance. */
  readonly priority: number;
  /** It is going to be removed: those who are started with the new list of instances couldn't reach it as their master. */
  readonly leaving: boolean;
  /** The Sentinels agree that the master is down, and none of them does anything. */
  readonly stalledSinceMs: number | undefined;
  /** Nobody is master, nobody could be promoted, and this instance has the newest copy. */
  readonly orphanedSinceMs: number | undefined;
  /** This replica has no link with the agreed master, although that one works. */
  readonly unlinkedSinceMs: number | undefined;
  /** Redis can't write its append-only file: the disk is full or broken. */
  readonly unwritableSinceMs: number | undefined;
  /** The Sentinels name this replica as the master, and no instance is one. */
  readonly leaderlessSinceMs: number | undefined;
  /** How long that is left to the Sentinels: twice their `down-after`. */
  readonly leaderlessPatienceMs: number;
  /** No instance that answers has a newer copy than this one. Looked at only when it is leaderless. */
  readonly newest: boolean;
  /** With `redis:durability quorum`: too few other replicas answer for this one to lead if it were promoted. */
  readonly alone: boolean;
  /** It was forbidden to be promoted for that reason, and for no other one. */
  readonly benched: boolean;
  /** With `redis:durability quorum`: this master is named and hasn't led yet, although others are there: they may have what it lacks. */
  readonly unprovenSinceMs: number | undefined;
  /** With `redis:durability quorum`: this replica refuses to follow the named one, which can't lead without it, and has to be promoted instead. */
  readonly neededSinceMs: number | undefined;
  /** The Sentinel that alone names another master. */
  readonly odd: { readonly sentinel: Address; readonly sinceMs: number } | undefined;
  /** When this instance last asked for a failover, and when it last repaired a Sentinel; undefined: never. */
  readonly askedAtMs: number | undefined;
  readonly repairedAtMs: number | undefined;
}

/** What the supervisor does about it. */
export type SupervisionAction =
  | { readonly kind: "follow"; readonly master: Address; readonly dropClients: boolean }
  | { readonly kind: "allow-promotion" }
  | { readonly kind: "forbid-promotion"; readonly reason: string; readonly benches?: true }
  /** Become the master that the Sentinels take this instance for. */
  | { readonly kind: "lead" }
  | { readonly kind: "repair-sentinel"; readonly sentinel: Address; readonly master: Address }
  | { readonly kind: "request-failover" };

/** `replica-priority` of an instance that may be promoted. */
export const ordinaryPriority = 100;

/**
 * How long something must be so before this instance acts, and how long what it did is given to work before it does it again, ms. Both are
 * counted from looks, of which there are two in a second: whatever happens comes at most 0.6 s later.
 */
export const supervisionTimes = {
  /** Two looks: a failover is between its promotion and its announcement for less. */
  agreed: 400,
  /** An election that goes well is over sooner. */
  stalled: 1000,
  stalledAgain: 1500,
  /** The master that the Sentinels name may only be starting later than its replicas. */
  orphaned: 5000,
  /** A copy that is so much older than the master's should be nobody's choice. */
  unlinked: 10_000,
  /** One write that failed may be the only one. */
  unwritable: 1000,
  unwritableAgain: 6000,
  /** After the Sentinels' own time: until it asks once more, and until it leads without them. */
  leaderlessAgain: 3000,
  leaderlessLead: 5000,
  /** A promoted instance is joined within a tenth of that, when nobody has more than it. */
  unproven: 2000,
  unprovenAgain: 6000,
  /** A named instance that has led meanwhile would have told so twice by then. */
  needed: 1000,
  /** What a Sentinel doesn't learn from the others in this time it never learns. */
  odd: 5000,
  /** An old master that a script keeps busy. A script that has changed nothing the Sentinels have ended by then. */
  busy: 3000,
} as const;

/** Whether something has been so for this long, ms. */
export function lasts(sinceMs: number | undefined, ms: number, nowMs: number): boolean {
  return sinceMs !== undefined && nowMs - sinceMs >= ms;
}

/** Whether what was done last, if ever, is at least this long ago, ms. */
function isOver(doneAtMs: number | undefined, ms: number, nowMs: number): boolean {
  return doneAtMs === undefined || nowMs - doneAtMs >= ms;
}

/**
 * The master is down, and no Sentinel does anything about it. After an attempt that failed they all wait for twice the
 * failover time-out; at the first start of a cluster, when no Redis runs yet, they fail like that.
 */
export function isStalled(views: readonly SentinelView[], sentinelCount: number): boolean {
  const down = views.filter(({ flags }) => flags.includes("s_down") || flags.includes("o_down"));
  const agreed =
    down.length >= majorityOf(sentinelCount) && down.some(({ flags }) => flags.includes("o_down"));
  return agreed && !views.some(({ flags }) => flags.includes("failover_in_progress"));
}

/**
 * Brings an instance into line with the majority of the Sentinels sooner than they do it themselves: an old master stops
 * taking writes within a second instead of ten, a replica of the wrong instance is re-pointed at once.
 */
export function planSupervision(observation: SupervisionObservation): SupervisionAction[] {
  const { nowMs, self, agreement, agreedSinceMs, masterConfirmed, role, priority } = observation;
  const { stalledSinceMs, orphanedSinceMs, askedAtMs, repairedAtMs } = observation;
  const times = supervisionTimes;
  const steady = lasts(agreedSinceMs, times.agreed, nowMs);
  const agreed = agreement.kind === "agreed" && steady && masterConfirmed ? agreement.master : undefined;
  if (agreed !== undefined && !sameAddress(agreed, self)) {
    if (role.kind === "master") return [{ kind: "follow", master: agreed, dropClients: true }];
    if (!sameAddress(role.master, agreed)) {
      // It may refuse to follow one that lacks what it has, and is then the one that has to be promoted.
      const needed = observation.benched || lasts(observation.neededSinceMs, times.needed, nowMs);
      const fitAgain = priority === 0 && needed && !observation.alone;
      const follow = { kind: "follow", master: agreed, dropClients: false } as const;
      return fitAgain ? [{ kind: "allow-promotion" }, follow] : [follow];
    }
  }
  const { odd } = observation;
  if (agreed !== undefined && role.kind === "master" && odd !== undefined) {
    if (lasts(odd.sinceMs, times.odd, nowMs) && isOver(repairedAtMs, times.odd, nowMs)) {
      return [{ kind: "repair-sentinel", sentinel: odd.sentinel, master: self }];
    }
  }
  const broken = planBroken(observation);
  if (broken !== undefined) return broken;
  if (observation.leaving && role.kind === "replica") {
    return priority === 0 ? [] : [{ kind: "forbid-promotion", reason: "it is going to be removed" }];
  }
  // A replica that never finished its first sync is empty, and Sentinel would promote it all the same. One that has, and hears nothing
  // yet, may miss a second of writes.
  const inSync = agreed !== undefined && observation.streaming;
  const { alone } = observation;
  const fit = (inSync || observation.benched) && !alone;
  if (priority === 0 && (role.kind === "master" || fit)) return [{ kind: "allow-promotion" }];
  // A hand-over has made it the Sentinels' favourite, and ended before it could take that back.
  if (role.kind === "master" && priority !== ordinaryPriority) return [{ kind: "allow-promotion" }];
  // All replicas were restarted while the master was away, so none of them may be promoted and none ever gets a link.
  if (priority === 0 && !alone && lasts(orphanedSinceMs, times.orphaned, nowMs))
    return [{ kind: "allow-promotion" }];
  const stalled = lasts(stalledSinceMs, times.stalled, nowMs) && isOver(askedAtMs, times.stalledAgain, nowMs);
  return role.kind === "replica" && priority > 0 && stalled ? [{ kind: "request-failover" }] : [];
}

/** What to do when this instance can't do what it should; undefined: it can. */
function planBroken(observation: SupervisionObservation): SupervisionAction[] | undefined {
  const { nowMs, role, priority, masterConfirmed, askedAtMs } = observation;
  const { unlinkedSinceMs, unwritableSinceMs, leaderlessSinceMs, leaderlessPatienceMs } = observation;
  const times = supervisionTimes;
  if (role.kind === "master") {
    if (lasts(observation.unprovenSinceMs, times.unproven, nowMs))
      return isOver(askedAtMs, times.unprovenAgain, nowMs) ? [{ kind: "request-failover" }] : [];
    if (!lasts(unwritableSinceMs, times.unwritable, nowMs)) return undefined;
    return isOver(askedAtMs, times.unwritableAgain, nowMs) ? [{ kind: "request-failover" }] : [];
  }
  const unwritable = unwritableSinceMs !== undefined;
  if (priority > 0 && unwritable) {
    return [{ kind: "forbid-promotion", reason: "its append-only file can't be written" }];
  }
  // While the master is gone every replica is without a link, and one of them must be promoted.
  if (priority > 0 && masterConfirmed && lasts(unlinkedSinceMs, times.unlinked, nowMs)) {
    return [{ kind: "forbid-promotion", reason: "it has had no link with the master for 10 s" }];
  }
  // At once: a Sentinel that doesn't hear the master promotes after `down-after`, and what a single look costs the next one gives back.
  if (priority > 0 && observation.alone) {
    return [
      { kind: "forbid-promotion", reason: "too few other copies are there for it to lead", benches: true },
    ];
  }
  if (unwritable) return [];
  if (observation.newest && lasts(leaderlessSinceMs, leaderlessPatienceMs + times.leaderlessLead, nowMs))
    return [{ kind: "lead" }];
  const leaderless = lasts(leaderlessSinceMs, leaderlessPatienceMs, nowMs);
  return leaderless && isOver(askedAtMs, times.leaderlessAgain, nowMs)
    ? [{ kind: "request-failover" }]
    : undefined;
}
