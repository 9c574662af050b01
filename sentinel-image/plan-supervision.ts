import { type Agreement, majorityOf, type SentinelView } from "../quorum/agreement.ts";
import type { Role } from "../quorum/ask-role.ts";
import { type Address, sameAddress } from "../runtime/address.ts";

/** What the supervisor sees in one round. */
export interface SupervisionObservation {
  readonly self: Address;
  readonly agreement: Agreement;
  /** The same master was agreed in the round before. One round can fall into the middle of a failover. */
  readonly agreedBefore: boolean;
  readonly role: Role;
  /**
   * The agreed master says that it is one, and no Sentinel sees it down or fails it over. Between a promotion and its
   * announcement the Sentinels still name the old master: whoever obeyed them then would undo the failover.
   */
  readonly masterConfirmed: boolean;
  /** Its link with its master is up, and the stream has begun. */
  readonly streaming: boolean;
  /** `replica-priority` now. 0: the Sentinels must not promote this instance. */
  readonly priority: number;
  /** Rounds in a row in which the Sentinels agreed that the master is down and none of them did anything. */
  readonly stalledRounds: number;
  /** Rounds in a row in which nobody was master, nobody could be promoted, and this instance has the newest copy. */
  readonly orphanedRounds: number;
  /** Rounds in a row in which this replica had no link with the agreed master, although that one works. */
  readonly unlinkedRounds: number;
  /** Rounds in a row in which Redis could not write its append-only file: the disk is full or broken. */
  readonly unwritableRounds: number;
  /** Rounds in a row in which the Sentinels named this replica as the master, and no instance was one. */
  readonly leaderlessRounds: number;
  /** So many of them last twice the Sentinels' `down-after`. */
  readonly leaderlessPatienceRounds: number;
  /** No instance that answers has a newer copy than this one. Looked at only when it is leaderless. */
  readonly newest: boolean;
  /** The Sentinel that alone names another master, and for how many rounds in a row it has. */
  readonly odd: { readonly sentinel: Address; readonly rounds: number } | undefined;
}

/** What the supervisor does about it. */
export type SupervisionAction =
  | { readonly kind: "follow"; readonly master: Address; readonly dropClients: boolean }
  | { readonly kind: "allow-promotion" }
  | { readonly kind: "forbid-promotion"; readonly reason: string }
  /** Become the master that the Sentinels take this instance for. */
  | { readonly kind: "lead" }
  | { readonly kind: "repair-sentinel"; readonly sentinel: Address; readonly master: Address }
  | { readonly kind: "request-failover" };

/** `replica-priority` of an instance that may be promoted. */
export const ordinaryPriority = 100;

/** 1.5 s. An election that goes well is over sooner. */
const patienceRounds = 3;

/** 5 s. The master that the Sentinels name may only be starting later than its replicas. */
const orphanedPatienceRounds = 10;

/** 10 s. A copy that is so much older than the master's should be nobody's choice. */
const unlinkedPatienceRounds = 20;

/** 6 s between two requests of a master that can't write: what the first one started must be over. */
const unwritableEveryRounds = 12;

/** 5 s. What a Sentinel doesn't learn from the others in this time it never learns; and so long a repair is given to work. */
const oddPatienceRounds = 10;

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
  const { self, agreement, agreedBefore, masterConfirmed, role, priority } = observation;
  const { stalledRounds, orphanedRounds } = observation;
  const agreed =
    agreement.kind === "agreed" && agreedBefore && masterConfirmed ? agreement.master : undefined;
  if (agreed !== undefined && !sameAddress(agreed, self)) {
    if (role.kind === "master") return [{ kind: "follow", master: agreed, dropClients: true }];
    if (!sameAddress(role.master, agreed)) return [{ kind: "follow", master: agreed, dropClients: false }];
  }
  const { odd } = observation;
  if (agreed !== undefined && role.kind === "master" && odd !== undefined) {
    if (odd.rounds >= oddPatienceRounds && odd.rounds % oddPatienceRounds === 0) {
      return [{ kind: "repair-sentinel", sentinel: odd.sentinel, master: self }];
    }
  }
  const broken = planBroken(observation);
  if (broken !== undefined) return broken;
  // A replica that never finished its first sync is empty, and Sentinel would promote it all the same. One that has, and hears nothing
  // yet, may miss a second of writes.
  const inSync = agreed !== undefined && observation.streaming;
  if (priority === 0 && (role.kind === "master" || inSync)) return [{ kind: "allow-promotion" }];
  // A hand-over has made it the Sentinels' favourite, and ended before it could take that back.
  if (role.kind === "master" && priority !== ordinaryPriority) return [{ kind: "allow-promotion" }];
  // All replicas were restarted while the master was away, so none of them may be promoted and none ever gets a link.
  if (priority === 0 && orphanedRounds >= orphanedPatienceRounds) return [{ kind: "allow-promotion" }];
  if (
    role.kind === "replica" &&
    priority > 0 &&
    stalledRounds >= patienceRounds &&
    stalledRounds % patienceRounds === 0
  ) {
    return [{ kind: "request-failover" }];
  }
  return [];
}

/** What to do when this instance can't do what it should; undefined: it can. */
function planBroken(observation: SupervisionObservation): SupervisionAction[] | undefined {
  const { role, priority, masterConfirmed, unlinkedRounds, unwritableRounds } = observation;
  const { leaderlessRounds, leaderlessPatienceRounds: patience } = observation;
  if (role.kind === "master") {
    if (unwritableRounds < patienceRounds) return undefined;
    return (unwritableRounds - patienceRounds) % unwritableEveryRounds === 0
      ? [{ kind: "request-failover" }]
      : [];
  }
  if (priority > 0 && unwritableRounds > 0) {
    return [{ kind: "forbid-promotion", reason: "its append-only file can't be written" }];
  }
  // While the master is gone every replica is without a link, and one of them must be promoted.
  if (priority > 0 && masterConfirmed && unlinkedRounds >= unlinkedPatienceRounds) {
    return [{ kind: "forbid-promotion", reason: "it has had no link with the master for 10 s" }];
  }
  if (unwritableRounds > 0) return [];
  if (leaderlessRounds >= patience + orphanedPatienceRounds && observation.newest) return [{ kind: "lead" }];
  return leaderlessRounds >= patience && (leaderlessRounds - patience) % (2 * patienceRounds) === 0
    ? [{ kind: "request-failover" }]
    : undefined;
}
