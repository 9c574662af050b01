import { type Agreement, type SentinelView, seesTrouble } from "../../quorum/agreement.ts";
import { type Address, formatAddress, sameAddress } from "../../runtime/address.ts";
import { type Heartbeat, isNewer } from "../supervise/heartbeat.ts";
import type { OwnCopy } from "./last-state.ts";

/** What another instance says of itself. */
export interface PeerView {
  readonly address: Address;
  readonly role: "master" | "replica";
  /** It holds at least one key. */
  readonly hasData: boolean;
  /** A replica that the Sentinels may make the master: its `replica-priority` is not 0. */
  readonly promotable: boolean;
  /** Replicas that are connected to it. */
  readonly replicas: number;
  /** How new its copy is; undefined: it is empty, or doesn't tell. */
  readonly heartbeat: Heartbeat | undefined;
}

/** How long an instance that is named, and has its data, leaves the Sentinels time to replace it. */
export const failoverPatienceMs = 8000;

/**
 * The same while none of them is at it, ms. They begin within a second; if not, an election has failed, and they wait for twice
 * the failover time-out before the next one.
 */
export const stalledPatienceMs = 2500;

/**
 * How long an instance that may not have the newest data waits for others that don't answer, ms: one of them may have what it
 * lacks. The second bound holds as long as nobody else answers.
 */
export const doubtPatienceMs = 8000;
export const lonelyPatienceMs = 30_000;

/**
 * How long an instance waits for the one that probably has what it lacks, ms: the one that it followed or handed its role to, or that a Sentinel names at a newer
 * epoch. That one may still be ending, which takes Redis up to 10 s, and has to be started again after that.
 */
export const successorPatienceMs = 30_000;

/** Without an agreement of the Sentinels, how long one is waited for before a master is looked for elsewhere, ms. */
export const agreementPatienceMs = 2000;

/** A note that lags behind by a beat or two is no reason for a failover, ms. */
const noteLagMs = 1000;
/** What a machine that went down may have lost, although it was noted as there, ms. */
const crashLossMs = 2000;

/** The master that the Sentinels agree on. */
interface Agreed {
  readonly master: Address;
  readonly configEpoch: number;
}

/** The Sentinels that see the agreed master down, or fail it over. What one that is behind says of another instance is no sign of that. */
function findTroubled(views: readonly SentinelView[], agreed: Agreed): SentinelView[] {
  return views.filter((view) => {
    const { master, configEpoch, replaced } = view;
    return (
      seesTrouble(view) &&
      // Its flags are about the one before: the failover is that which has made the agreed one the master.
      !(replaced !== undefined && sameAddress(master, agreed.master)) &&
      (sameAddress(master, agreed.master) || configEpoch > agreed.configEpoch)
    );
  });
}

/** A Sentinel that sees the agreed master down, or is failing it over, which is preferred: the answer may change at any moment. */
export function findTrouble(views: readonly SentinelView[], agreed: Agreed): SentinelView | undefined {
  const troubled = findTroubled(views, agreed);
  return troubled.find(({ flags }) => flags.includes("failover_in_progress")) ?? troubled[0];
}

/**
 * Whether the agreed master may be replaced any moment: it is failed over, or as many Sentinels see it down as their quorum asks for. One alone that can't reach
 * it, for a day maybe, must not keep the replicas from being promotable.
 */
export function isDisputed(views: readonly SentinelView[], agreed: Agreed): boolean {
  const troubled = findTroubled(views, agreed);
  const quorum = Math.min(...troubled.map(({ settings }) => settings?.quorum ?? 1));
  const certain = ["o_down", "failover_in_progress"];
  return (
    troubled.length >= quorum || troubled.some(({ flags }) => certain.some((flag) => flags.includes(flag)))
  );
}

/**
 * From the decision to lead until the Sentinels see it up again, ms: the server starts and loads, and they connect anew every 300 ms (their
 * `ping-period`). Measured: 300 to 450 with little data.
 */
const seenUpAfterMs = 700;

/**
 * A Sentinel that is about to see the agreed master down, since it has been away for nearly `down-after`. A master that started now would be replaced while
 * it takes writes, by a replica that may not have received them: after a restart its replicas begin to follow up to a second later.
 */
function findOverdue(
  views: readonly SentinelView[],
  agreed: { readonly master: Address },
): SentinelView | undefined {
  const overdue = views.filter(
    ({ master, silentMs, settings }) =>
      sameAddress(master, agreed.master) &&
      silentMs !== undefined &&
      settings !== undefined &&
      silentMs + seenUpAfterMs > settings.downAfterMs,
  );
  const [first] = overdue;
  return first?.settings !== undefined && overdue.length >= first.settings.quorum ? first : undefined;
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
  /** The data set on the volume can't be read. */
  readonly damaged: boolean;
  /** How new that data set is. */
  readonly copy: OwnCopy;
  /** Since this instance began to ask, ms. */
  readonly askingForMs: number;
  /** The same, or since another instance was last seen as a master when that is less: one that ends has to be started again before it answers. */
  readonly leaderlessForMs: number;
  /** `redis:durability` `quorum`: a copy that may be older waits for all others, however long it takes. Default false. */
  readonly quorum?: boolean;
  /** Whether instances keep their data when they end. Without that, one that is away has none. Default true. */
  readonly persistent?: boolean;
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
  if (agreement.kind === "none") return withoutAgreement(observation, agreement.reason);
  if (!sameAddress(agreement.master, self)) return { kind: "follow", master: agreement.master };

  const failing = findTrouble(views, agreement);
  const rival = peers.find(({ role }) => role === "master");
  if (rival !== undefined) {
    return wait(`the Sentinels name this instance, but ${formatAddress(rival.address)} is a master`);
  }
  const replaceBy = (peer: PeerView, problem: string): StartDecision => ({
    ...wait(`${problem} ${formatAddress(peer.address)} has data: another instance must become master`),
    needsFailover: failing === undefined,
  });
  const keeper = peers.find((peer) => peer.hasData);
  if (observation.damaged) {
    // Nobody else has data: only a person can tell what to do with these.
    if (keeper === undefined)
      return wait("the data on the volume are damaged: repair them with redis-check-aof");
    return replaceBy(keeper, "the data on the volume are damaged but");
  }
  if (!hasData) {
    // Its replicas would copy the emptiness.
    if (keeper !== undefined) return replaceBy(keeper, "the volume is empty but");
    // One that doesn't answer may hold the data. One that keeps nothing holds them only while it runs, and then the Sentinels would have
    // made it the master by now.
    const mayHold = observation.persistent !== false || observation.leaderlessForMs < doubtPatienceMs;
    if (peers.length < peerCount && mayHold) {
      return wait(`the volume is empty and only ${peers.length} of ${peerCount} other instances answer`);
    }
    return { kind: "lead", reason: "the Sentinels name this instance and no instance that answers has data" };
  }
  // They see it down because it hasn't started yet. Without a replica that they may promote nothing will come of that, and
  // whoever waited for it would wait for ever; with one, a failover ends in seconds or it never will. With no peer at all
  // this instance leads at once: without a replica it takes no writes that could be lost.
  const unknown = peers.length > 0 && peers.length < peerCount;
  const heir = peers.some(({ promotable }) => promotable);
  const running = failing?.flags.includes("failover_in_progress") === true;
  const patienceMs = running ? failoverPatienceMs : stalledPatienceMs;
  const overdue = heir ? findOverdue(views, agreement) : undefined;
  const replacing = unknown || heir ? (failing ?? overdue) : undefined;
  if (replacing !== undefined && observation.expectedFailoverForMs < patienceMs) {
    return {
      ...wait(`${formatAddress(replacing.sentinel)} is failing this instance over, or about to`),
      expectsFailover: true,
    };
  }
  const decision = compareCopies(observation, agreement.configEpoch, replaceBy);
  const missing =
    decision.kind === "lead" ? findMissingSuccessor(observation, agreement.configEpoch) : undefined;
  return missing === undefined ? decision : wait(missing);
}

/**
 * Why this instance, which is named, may lack what one has that doesn't answer yet. A failover whose Sentinel ended before it could tell the others leaves
 * them with the master before, and clients may have written to the new one meanwhile. Undefined: there is no sign of that, or it was waited for long enough.
 */
function findMissingSuccessor(
  { self, views, peers, peerCount, copy, leaderlessForMs, quorum = false }: StartObservation,
  configEpoch: number,
): string | undefined {
  const newer = views.find((view) => view.configEpoch > configEpoch && !sameAddress(view.master, self));
  const suspects = [
    copy.followed && { address: copy.followed, why: "which it followed when it ended" },
    newer && { address: newer.master, why: `which ${formatAddress(newer.sentinel)} names at a newer epoch` },
  ];
  const missing = suspects.find(
    (suspect) => suspect && !peers.some(({ address }) => sameAddress(address, suspect.address)),
  );
  if (missing === undefined) return undefined;
  // With a quorum a majority of the copies has all that was confirmed, and the newest of those that answer was looked for.
  const few = quorum && (peers.length + 1) * 2 <= peerCount + 1;
  return few || leaderlessForMs < successorPatienceMs
    ? `${formatAddress(missing.address)}, ${missing.why}, may have newer data and doesn't answer`
    : undefined;
}

/** The Sentinels name this instance, which has data: it leads unless another copy is newer, and its replicas would lose that. */
function compareCopies(
  { peers, peerCount, copy, leaderlessForMs, quorum = false }: StartObservation,
  configEpoch: number,
  replaceBy: (peer: PeerView, problem: string) => StartDecision,
): StartDecision {
  const keepers = peers.filter((peer) => peer.hasData);
  const newer = keepers.find(({ heartbeat }) => isNewer(heartbeat, copy.heartbeat, noteLagMs));
  if (newer !== undefined) return replaceBy(newer, "the data on the volume are older than another copy:");
  const whole = keepers.find(({ heartbeat }) => isNewer(heartbeat, copy.heartbeat, -crashLossMs));
  if (copy.crashed && whole !== undefined) {
    return replaceBy(whole, "the machine went down while the server ran, but");
  }
  // Sentinels that have lost their files begin anew at epoch 0, with an instance that nobody ever chose.
  const forgotten = configEpoch === 0 || configEpoch < (copy.heartbeat?.epoch ?? 0);
  const doubt = copy.crashed
    ? "the machine went down while the server ran"
    : forgotten
      ? "the Sentinels may have forgotten who was master"
      : undefined;
  const patient = quorum || leaderlessForMs < patienceFor(peers.length);
  if (doubt !== undefined && peers.length < peerCount && patient) {
    return wait(`${doubt}, and only ${peers.length} of ${peerCount} other instances answer`);
  }
  return { kind: "lead", reason: "the Sentinels name this instance and it has its data" };
}

/** Without any other instance it would take no writes anyway, so waiting costs next to nothing. */
function patienceFor(peersThatAnswer: number): number {
  return peersThatAnswer === 0 ? lonelyPatienceMs : doubtPatienceMs;
}

/**
 * Without a majority of the Sentinels nobody becomes master. But the only master that is there, and works, can be followed:
 * the supervisor lets this instance be promoted only after the Sentinels agree again.
 */
function withoutAgreement(
  { peers, hasData, copy, askingForMs }: StartObservation,
  reason: string,
): StartDecision {
  const [master, ...rivals] = peers.filter(({ role }) => role === "master");
  const follows =
    master !== undefined &&
    rivals.length === 0 &&
    master.replicas > 0 &&
    askingForMs >= agreementPatienceMs &&
    // What this one has and that one hasn't would be lost.
    (!hasData || (copy.heartbeat !== undefined && !isNewer(copy.heartbeat, master.heartbeat, noteLagMs)));
  return follows ? { kind: "follow", master: master.address } : wait(`no agreement on the master: ${reason}`);
}

function wait(reason: string): Extract<StartDecision, { kind: "wait" }> {
  return { kind: "wait", reason, needsFailover: false, expectsFailover: false };
}
