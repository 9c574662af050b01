import { type Address, sameAddress } from "../quorum/address.ts";
import { type Agreement, majorityOf, type SentinelView } from "../quorum/agreement.ts";
import type { Role } from "../quorum/ask-role.ts";

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
  /** `replica-priority` now. 0: the Sentinels must not promote this instance. */
  readonly priority: number;
  /** Rounds in a row in which the Sentinels agreed that the master is down and none of them did anything. */
  readonly stalledRounds: number;
  /** Rounds in a row in which nobody was master, nobody could be promoted, and this instance has the newest copy. */
  readonly orphanedRounds: number;
}

/** What the supervisor does about it. */
export type SupervisionAction =
  | { readonly kind: "follow"; readonly master: Address; readonly dropClients: boolean }
  | { readonly kind: "allow-promotion" }
  | { readonly kind: "request-failover" };

/** `replica-priority` of an instance that may be promoted. */
export const ordinaryPriority = 100;

/** 1.5 s. An election that goes well is over sooner. */
const patienceRounds = 3;

/** 5 s. The master that the Sentinels name may only be starting later than its replicas. */
const orphanedPatienceRounds = 10;

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
  // A replica that never finished its first sync is empty, and Sentinel would promote it all the same.
  if (priority === 0 && (role.kind === "master" || role.linkUp)) return [{ kind: "allow-promotion" }];
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
