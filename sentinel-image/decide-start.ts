import { type Address, formatAddress, sameAddress } from "../quorum/address.ts";
import type { Agreement, SentinelView } from "../quorum/agreement.ts";

/** What another instance says of itself. */
export interface PeerView {
  readonly address: Address;
  readonly role: "master" | "replica";
  /** It holds at least one key. */
  readonly hasData: boolean;
  /** A replica that the Sentinels may make the master: its `replica-priority` is not 0. */
  readonly promotable: boolean;
}

/** How long an instance that is named, and has its data, leaves the Sentinels time to replace it. */
export const failoverPatienceMs = 8000;

/** A Sentinel sees the master that it names down, or is failing it over: the answer may change at any moment. */
export function seesTrouble({ flags }: SentinelView): boolean {
  return flags.some((flag) => ["s_down", "o_down", "failover_in_progress"].includes(flag));
}

/** What an instance knows before it starts its server. */
export interface StartObservation {
  readonly self: Address;
  /** What the Sentinels agree on. */
  readonly agreement: Agreement;
  /** The Sentinels that answered. */
  readonly views: readonly SentinelView[];
  readonly peerCount: number;
  /** The other instances that answered. */
  readonly peers: readonly PeerView[];
  /** The volume holds a data set. */
  readonly hasData: boolean;
  /** For how long the decision has been to wait for a failover that must come by itself. */
  readonly expectedFailoverForMs: number;
}

/** What to do now. */
export type StartDecision =
  | { readonly kind: "follow"; readonly master: Address }
  | { readonly kind: "lead"; readonly reason: string }
  | {
      readonly kind: "wait";
      readonly reason: string;
      /** The Sentinels name this instance but it must not lead: they have to choose another one. */
      readonly needsFailover: boolean;
      /** A failover that replaces this instance should come by itself. */
      readonly expectsFailover: boolean;
    };

/**
 * The role to start in. Fail closed: whoever isn't sure to be the master doesn't start as one, and nothing listens
 * before the role is known. The roles come from a majority of the Sentinels, never from a number or a kept file.
 */
export function decideStart(observation: StartObservation): StartDecision {
  const { self, agreement, views, peers, peerCount, hasData } = observation;
  if (agreement.kind === "none") return wait(`no agreement on the master: ${agreement.reason}`);
  if (!sameAddress(agreement.master, self)) return { kind: "follow", master: agreement.master };

  const failing = views.find(seesTrouble);
  const rival = peers.find(({ role }) => role === "master");
  if (rival !== undefined) {
    return wait(`the Sentinels name this instance, but ${formatAddress(rival.address)} is a master`);
  }
  if (!hasData) {
    const keeper = peers.find((peer) => peer.hasData);
    if (keeper !== undefined) {
      // Its replicas would copy the emptiness.
      return {
        kind: "wait",
        reason: `the volume is empty but ${formatAddress(keeper.address)} has data: another instance must become master`,
        needsFailover: failing === undefined,
        expectsFailover: false,
      };
    }
    // One that doesn't answer may hold the data.
    if (peers.length < peerCount) {
      return wait(`the volume is empty and only ${peers.length} of ${peerCount} other instances answer`);
    }
    return { kind: "lead", reason: "the Sentinels name this instance and no instance has data" };
  }
  // They see it down because it hasn't started yet. Without a replica that they may promote nothing will come of that, and
  // whoever waited for it would wait for ever; with one, a failover ends in seconds or it never will. With no peer at all
  // this instance leads at once: without a replica it takes no writes that could be lost.
  const unknown = peers.length > 0 && peers.length < peerCount;
  const replaceable = unknown || peers.some(({ promotable }) => promotable);
  if (failing !== undefined && replaceable && observation.expectedFailoverForMs < failoverPatienceMs) {
    return {
      ...wait(`${formatAddress(failing.sentinel)} is failing this instance over`),
      expectsFailover: true,
    };
  }
  return { kind: "lead", reason: "the Sentinels name this instance and it has its data" };
}

function wait(reason: string): Extract<StartDecision, { kind: "wait" }> {
  return { kind: "wait", reason, needsFailover: false, expectsFailover: false };
}
