import type { Agreement } from "../../quorum/agreement.ts";
import type { Role } from "../../quorum/ask-role.ts";
import { type Address, formatAddress, sameAddress } from "../../runtime/address.ts";
import { isReplicaReason } from "../../runtime/hand-over-order.ts";
import type { PromotionForecast } from "./forecast-promotion.ts";

/** What another instance answered to the question for its role. `gone`: it can't be reached. `silent`: no answer yet. */
export interface PeerRole {
  readonly address: Address;
  readonly role: Role | "gone" | "silent";
}

/** How far a hand-over has come. */
export type HandOverPhase =
  /** Clients notice nothing. The heir is the replica that the Sentinels are to prefer, once they have heard of that. */
  | { readonly kind: "preparing"; readonly heir: Address | undefined }
  /** Writes are paused: the heir must have received everything up to `offset`. */
  | {
      readonly kind: "catchingUp";
      readonly heir: Address;
      readonly offset: number;
      readonly sentinel: Address;
    }
  /** A Sentinel has accepted to promote a replica. */
  | { readonly kind: "promoting"; readonly heir: Address }
  /** This instance is a replica of the new master; everybody else must learn of it before it ends. */
  | { readonly kind: "announcing"; readonly successor: Address };

/** What is known at one moment of a hand-over. Only what a phase looks at has to be asked for in it. */
export interface HandOverObservation {
  readonly self: Address;
  readonly phase: HandOverPhase;
  /** Since the phase began, ms. */
  readonly forMs: number;
  readonly role: Role;
  readonly agreement: Agreement;
  /** The other instances. */
  readonly peers: readonly PeerRole[];
  readonly forecasts: readonly PromotionForecast[];
  /** Those of whom an operator wants one to lead; undefined: whichever fits best. */
  readonly wanted?: readonly Address[] | undefined;
}

/** What to do now. */
export type HandOverStep =
  | { readonly kind: "wait" }
  /**
   * Make the Sentinels prefer this replica. Else they promote the one with the most data, as far as they know: with writes
   * going on that is the one that they have asked last, so nobody could say which has to receive the last writes.
   */
  | { readonly kind: "favour"; readonly heir: Address }
  /** Pause writes, and read the offset that the heir must reach. */
  | { readonly kind: "pause"; readonly heir: Address; readonly sentinel: Address }
  /** Ask this Sentinel, or another one, for a failover. */
  | { readonly kind: "ask"; readonly heir: Address; readonly sentinel: Address }
  /** Become a replica of this one, which refuses the paused writes for certain, and end the pause. */
  | { readonly kind: "stepDown"; readonly successor: Address }
  /** The hand-over is over, or impossible: stop the server now. Whatever is paused goes on first. */
  | { readonly kind: "end"; readonly reason: string };

/** The `replica-priority` of an heir: the Sentinels prefer it to all others, which have 100. */
export const heirPriority = 50;

/** What a replica receives in a moment: `catchingUp` gives it 0.4 s. */
const smallLagBytes = 2 ** 20;

/** Bounds of the phases, ms. Those of a stop are together well below the 10 s that `redis-ha local` and the 60 s that a pod gives. */
export const handOverBounds = {
  /** For the Sentinels to agree; without most of them nothing can be handed over. */
  agreement: 500,
  /** For the Sentinels to hear of the heir: they ask each replica once a second. */
  preparing: 2500,
  /** The same for an operator's order: no pod waits for its end. */
  preparingOrdered: 6000,
  /**
   * For the heir to receive the last writes. Shorter than the shortest `downAfterMs`: a paused master doesn't answer
   * the Sentinels either, since they publish there, and they must not take it for dead before the heir has everything.
   */
  catchingUp: 400,
  /** For a promotion that a Sentinel has accepted. */
  promoting: 3000,
  /** For the other Sentinels, and for the next replica, to find the new master. */
  announcing: 2000,
} as const;

/**
 * The next step of a planned hand-over: a master that is stopped gives its role to a replica that has all of its data.
 * Writes stop for as short as it goes, and none that was acknowledged is lost.
 */
export function planHandOver(seen: HandOverObservation): HandOverStep {
  switch (seen.phase.kind) {
    case "preparing":
      return prepare(seen, seen.phase.heir);
    case "catchingUp":
      return catchUp(seen, seen.phase);
    case "promoting":
      return promote(seen, seen.phase.heir);
    case "announcing":
      return announce(seen, seen.phase.successor);
  }
}

function prepare(
  { self, role, agreement, forMs, peers, forecasts, wanted }: HandOverObservation,
  heir: Address | undefined,
): HandOverStep {
  if (role.kind !== "master") return end(isReplicaReason);
  if (role.replicas.length === 0 || peers.every((peer) => peer.role === "gone"))
    return end("there is no replica");
  if (agreement.kind === "none") {
    return forMs < handOverBounds.agreement ? wait : end(`no agreement on the master: ${agreement.reason}`);
  }
  if (!sameAddress(agreement.master, self)) {
    return end(`the Sentinels name ${formatAddress(agreement.master)} as the master`);
  }
  const replicas = replicasOf(self, peers).filter(
    ({ address }) => wanted === undefined || wanted.some((one) => sameAddress(one, address)),
  );
  const possible = forecasts.filter(({ replica }) =>
    replicas.some(({ address }) => sameAddress(address, replica)),
  );
  if (forMs >= (wanted === undefined ? handOverBounds.preparing : handOverBounds.preparingOrdered)) {
    return end(
      wanted === undefined
        ? "no replica could be promoted"
        : `${wanted.map(formatAddress).join(", ")} could not be promoted`,
    );
  }
  if (heir === undefined) {
    // Nobody waits for an operator's one: it may lack no more than others.
    const other = wanted === undefined ? possible[0]?.replica : undefined;
    const chosen = chooseHeir(replicas, role.offset, forecasts) ?? other;
    return chosen === undefined ? wait : { kind: "favour", heir: chosen };
  }
  const certain = possible.find(
    ({ replica, priority }) => sameAddress(replica, heir) && priority === heirPriority,
  );
  return certain === undefined ? wait : { kind: "pause", heir, sentinel: certain.sentinel };
}

/**
 * The first of the instances, by its number, that a Sentinel could promote and that lacks little. When `redis:instances` is lowered the
 * last ones go, at the end of the update, and must not become master in the middle of it.
 */
function chooseHeir(
  replicas: readonly { readonly address: Address; readonly offset: number }[],
  offset: number,
  forecasts: readonly PromotionForecast[],
): Address | undefined {
  const candidates = forecasts.flatMap((forecast) => forecast.candidates);
  return replicas.find(
    (replica) =>
      offset - replica.offset <= smallLagBytes &&
      candidates.some((candidate) => sameAddress(candidate, replica.address)),
  )?.address;
}

function catchUp(
  { self, peers, forMs }: HandOverObservation,
  { heir, offset, sentinel }: Extract<HandOverPhase, { kind: "catchingUp" }>,
): HandOverStep {
  const replica = replicasOf(self, peers).find(({ address }) => sameAddress(address, heir));
  if (replica !== undefined && replica.offset >= offset) return { kind: "ask", heir, sentinel };
  return forMs < handOverBounds.catchingUp && roleOf(heir, peers) !== "gone"
    ? wait
    : end(`${formatAddress(heir)} has not received the last writes`);
}

function promote({ self, role, peers, forMs }: HandOverObservation, heir: Address): HandOverStep {
  const successor = peers.find((peer) => typeof peer.role === "object" && peer.role.kind === "master");
  // It says so before any Sentinel knows. What waits here would be lost with the connections when they tell.
  if (successor !== undefined) return { kind: "stepDown", successor: successor.address };
  // It has left this instance and writes its configuration, which takes as long as its disk: it can tell nobody before, and
  // then a Sentinel may be the first to hear.
  const left = role.kind === "master" && !role.replicas.some((address) => sameAddress(address, heir));
  if (left && roleOf(heir, peers) === "silent") return { kind: "stepDown", successor: heir };
  if (forMs < handOverBounds.promoting && !allGone(peers)) return wait;
  // The Sentinel may still promote one: writes must not be taken any more. They are refused by a replica, whoever its master is.
  const [newest] = replicasOf(self, peers).toSorted((a, b) => b.offset - a.offset);
  return newest === undefined
    ? end("the replicas are gone")
    : { kind: "stepDown", successor: newest.address };
}

function announce({ self, agreement, peers, forMs }: HandOverObservation, successor: Address): HandOverStep {
  if (forMs >= handOverBounds.announcing || allGone(peers))
    return end("the time for the announcement is over");
  const named = agreement.kind === "agreed" && !sameAddress(agreement.master, self);
  const master = roleOf(successor, peers);
  // This instance is a replica of it, too, and takes that one away: without another one it would refuse writes.
  const needed = peers.length > 1 ? 2 : 1;
  const complete = typeof master === "object" && master.kind === "master" && master.replicas.length >= needed;
  return named && complete ? end(`${formatAddress(successor)} is the master`) : wait;
}

const wait: HandOverStep = { kind: "wait" };

function end(reason: string): HandOverStep {
  return { kind: "end", reason };
}

function roleOf(peer: Address, peers: readonly PeerRole[]): PeerRole["role"] | undefined {
  return peers.find(({ address }) => sameAddress(address, peer))?.role;
}

function allGone(peers: readonly PeerRole[]): boolean {
  return peers.every(({ role }) => role === "gone");
}

/** Those that receive this instance's writes. */
function replicasOf(self: Address, peers: readonly PeerRole[]): { address: Address; offset: number }[] {
  return peers.flatMap(({ address, role }) =>
    typeof role === "object" && role.kind === "replica" && role.linkUp && sameAddress(role.master, self)
      ? [{ address, offset: role.offset }]
      : [],
  );
}
