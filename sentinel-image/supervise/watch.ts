import type { Logger } from "pino";
import type { Agreement, SentinelView } from "../../quorum/agreement.ts";
import { askRole, isBusy, type Role } from "../../quorum/ask-role.ts";
import { askSentinel } from "../../quorum/ask-sentinel.ts";
import { PatientAgreement } from "../../quorum/patient-agreement.ts";
import { type Address, formatAddress, sameAddress } from "../../runtime/address.ts";
import { countJoins, type OwnPast } from "../failover/follow-keeping-data.ts";
import { couldLead, shouldLeadInstead } from "../failover/keep-data.ts";
import { askPeer } from "../start/ask-peer.ts";
import { isDisputed, type PeerView } from "../start/decide-start.ts";
import type { OwnCopy } from "../start/last-state.ts";
import {
  askLeaderless,
  canWrite,
  isMaster,
  isOrphaned,
  readPriority,
  type Surroundings,
} from "../start/look-around.ts";
import { type LinkedOffset, lookAtStream } from "../start/replication-stream.ts";
import { Sightings } from "../start/sightings.ts";
import { type CarryOutOptions, carryOut } from "./carry-out.ts";
import { askHeartbeat } from "./heartbeat.ts";
import {
  isStalled,
  lasts,
  planSupervision,
  type SupervisionAction,
  supervisionTimes,
} from "./plan-supervision.ts";
import { findOddSentinel } from "./repair-sentinel.ts";
import { answersWithin } from "./within.ts";

export interface WatchOptions extends Surroundings, CarryOutOptions {
  readonly instances: Surroundings["instances"];
  /** What is known of the copy that it was started with. */
  readonly copy: OwnCopy;
  /** Ends this instance's server, which can't be asked to. */
  readonly endServer: () => void;
  /** Whether this instance is going to be removed. */
  readonly leaving: { readonly isSo: boolean };
  /** Whether this instance follows a foreign Redis: what the Sentinels say has no meaning for it then. */
  readonly moving?: { readonly isFollowing: boolean } | undefined;
  readonly log: Logger;
}

/** How long one look waits for the Sentinels, and then for the other instances, ms. Who is late is left out of it. */
const answerWithinMs = 250;

/** How long a look counts for those who don't look themselves, ms. */
const freshMs = 2000;

/** Looks at the Sentinels, the own server and the other instances, and does what {@link planSupervision} says. */
export class Watch {
  readonly #options: WatchOptions;
  readonly #patient = new PatientAgreement();
  readonly #sightings = new Sightings();
  #views: readonly SentinelView[] = [];
  #lookedMs = Number.NEGATIVE_INFINITY;
  #agreement: Agreement = { kind: "none", reason: "nobody was asked yet" };
  #linkedOffset: LinkedOffset;
  #asked: { readonly atMs: number; readonly role: Role["kind"] } | undefined;
  #repairedAtMs: number | undefined;
  #benched = false;
  #past: OwnPast;
  #leads: (Leadership & { readonly seenMs: number }) | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#past = { joinsBefore: 0, crashed: options.copy.crashed };
  }

  /** What the Sentinels said in the last look; nothing when that is more than 2 s ago. */
  get views(): readonly SentinelView[] {
    return performance.now() - this.#lookedMs <= freshMs ? this.#views : [];
  }

  /** What only this supervisor knows of its instance's copy. */
  get past(): OwnPast {
    return this.#past;
  }

  /** Its instance follows somebody now: it may be promoted again when it is in sync, and not when others are back. */
  hasJoined(): void {
    this.#benched = false;
  }

  get agreement(): Agreement {
    return this.#agreement;
  }

  /** What it means that this instance is the agreed master; undefined: it isn't, or nobody has been able to tell for 2 s. */
  get leads(): Leadership | undefined {
    const leads = this.#leads;
    return leads !== undefined && performance.now() - leads.seenMs <= freshMs ? leads : undefined;
  }

  /** The same by the last look that came to an end, however long ago that is. */
  get lastLead(): Leadership | undefined {
    return this.#leads;
  }

  /**
   * One look, and what follows from it.
   *
   * @throws {Error} when the own server doesn't answer, or somebody doesn't do what is asked of him.
   */
  async look(): Promise<void> {
    const { self, masterName, sentinels } = this.#options;
    const [views, own] = await Promise.all([
      answersWithin(
        answerWithinMs,
        sentinels.map((sentinel) => askSentinel(sentinel, masterName)),
      ),
      this.#askOwn(),
    ]);
    const nowMs = performance.now();
    const agreement = this.#patient.agree(views, { sentinelCount: sentinels.length }, nowMs);
    this.#views = views;
    this.#lookedMs = nowMs;
    this.#agreement = agreement;
    const named = agreement.kind === "agreed" && sameAddress(agreement.master, self);
    this.#leads =
      named && own?.role.kind === "master"
        ? { epoch: agreement.configEpoch, replicas: own.role.replicas, seenMs: nowMs }
        : undefined;
    if (this.#options.moving?.isFollowing === true) return;
    if (own === undefined) await this.#whileBusy();
    else await this.#act(own);
  }

  /** What the own server says of itself; undefined: a script keeps it busy. */
  async #askOwn(): Promise<OwnState | undefined> {
    const { server } = this.#options;
    try {
      const [role, priority, writable] = await Promise.all([
        askRole(server),
        readPriority(server),
        canWrite(server),
      ]);
      return { role, priority, writable };
    } catch (error) {
      // To each of these questions.
      if (isBusy(error)) return undefined;
      throw error;
    }
  }

  async #act({ role, priority, writable }: OwnState): Promise<void> {
    const { self, sentinels } = this.#options;
    const [views, agreement] = [this.#views, this.#agreement];
    const agreed = agreement.kind === "agreed" ? agreement.master : undefined;
    const named = agreed !== undefined && sameAddress(agreed, self);
    const unlinked = role.kind === "replica" && !role.linkUp;
    const [copies, masterConfirmed, orphaned, leaderless] = await Promise.all([
      this.#lookAtCopies(role, named),
      named ? role.kind === "master" && this.#isUndisputed() : this.#isReplaced(),
      unlinked && priority === 0 && agreed !== undefined
        ? this.#inTime(isOrphaned(this.#options, agreed), false)
        : false,
      named && role.kind === "replica" ? this.#inTime(askLeaderless(this.#options), undefined) : undefined,
    ]);
    const odd = findOddSentinel(views, agreement, sentinels.length);
    const stream = lookAtStream(role, this.#linkedOffset);
    this.#linkedOffset = stream.linkedOffset;
    if (role.kind === "replica" && stream.streaming) this.#past = { ...this.#past, followed: role.master };
    const agreedOn = agreed && `agreed on ${formatAddress(agreed)}`;
    const oddOne = odd && `odd ${formatAddress(odd.sentinel)}`;
    const nowMs = performance.now();
    const seen: readonly (readonly [what: string | undefined, isSo: boolean])[] = [
      [agreedOn, true],
      [oddOne, true],
      ["stalled", isStalled(views, sentinels.length)],
      ["orphaned", orphaned && !masterConfirmed],
      ["unlinked", unlinked && masterConfirmed],
      ["unwritable", !writable],
      ["leaderless", leaderless !== undefined],
      ["unproven", copies.unproven],
      ["needed", copies.needed],
    ];
    this.#sightings.look(
      seen.flatMap(([what, isSo]) => (isSo && what !== undefined ? [what] : [])),
      nowMs,
    );
    const since = (what: string | undefined): number | undefined =>
      what === undefined ? undefined : this.#sightings.sinceMs(what);
    const actions = planSupervision({
      nowMs,
      self,
      agreement,
      agreedSinceMs: since(agreedOn),
      role,
      masterConfirmed,
      streaming: stream.streaming,
      priority,
      leaving: this.#options.leaving.isSo,
      stalledSinceMs: since("stalled"),
      orphanedSinceMs: since("orphaned"),
      unlinkedSinceMs: since("unlinked"),
      unwritableSinceMs: since("unwritable"),
      leaderlessSinceMs: since("leaderless"),
      leaderlessPatienceMs: 2 * (views[0]?.settings?.downAfterMs ?? 1000),
      newest: leaderless?.newest ?? false,
      alone: copies.alone,
      benched: this.#benched,
      unprovenSinceMs: since("unproven"),
      neededSinceMs: since("needed"),
      odd: odd && { sentinel: odd.sentinel, sinceMs: since(oddOne) ?? nowMs },
      // What it asked for as a replica has come, and made it what it is.
      askedAtMs: this.#asked?.role === role.kind ? this.#asked.atMs : undefined,
      repairedAtMs: this.#repairedAtMs,
    });
    for (const action of actions) {
      this.#remember(action, role, nowMs);
      await carryOut(action, this.#options, role, views, {
        configEpoch: agreement.kind === "agreed" ? agreement.configEpoch : undefined,
        past: this.#past,
      });
      if (action.kind === "follow") this.hasJoined();
    }
  }

  #remember(action: SupervisionAction, role: Role, nowMs: number): void {
    const { kind } = action;
    if (kind === "forbid-promotion") this.#benched = action.benches === true;
    if (kind === "allow-promotion") this.#benched = false;
    // In sync with a master, or one itself: what it lacked it has, or nobody has.
    if (kind === "allow-promotion") this.#past = { ...this.#past, crashed: false };
    if (kind === "request-failover") this.#asked = { atMs: nowMs, role: role.kind };
    if (kind === "repair-sentinel") this.#repairedAtMs = nowMs;
  }

  /** With `redis:durability quorum`: whether this instance could lead; if it is named, whether it has; if it isn't, whether it has to instead of the named one. */
  async #lookAtCopies(role: Role, named: boolean): Promise<CopiesInSight> {
    const { quorum, instances, heart, server, copy } = this.#options;
    if (!quorum) return { alone: false, unproven: false, needed: false };
    const [peers, stats] = await Promise.all([
      this.#askPeers(),
      role.kind === "replica" ? server.call("INFO", "stats") : undefined,
    ]);
    if (stats !== undefined) this.#past = { ...this.#past, joinsBefore: countJoins(String(stats)) };
    const alone =
      role.kind === "replica" &&
      !couldLead({ instanceCount: instances.length + 1, peers, agreement: this.#agreement });
    const agreement = this.#agreement;
    if (agreement.kind === "none") return { alone, unproven: false, needed: false };
    const { master, configEpoch } = agreement;
    if (role.kind === "master") {
      if (!named || !peers.some(({ promotable }) => promotable))
        return { alone, unproven: false, needed: false };
      const own = await askHeartbeat(heart);
      return { alone, unproven: (own?.epoch ?? -1) < configEpoch, needed: false };
    }
    const other = peers.find(({ address }) => sameAddress(address, master));
    const refuses = other?.role === "master" && !sameAddress(role.master, master);
    if (!refuses || this.#past.crashed === true) return { alone, unproven: false, needed: false };
    // One that still loads has no answer.
    const own = await askHeartbeat(heart).catch(() => undefined);
    const needed = shouldLeadInstead(own, copy.ledIn, other.heartbeat, configEpoch);
    return { alone, unproven: false, needed };
  }

  /** The other instances that answer in time. */
  #askPeers(): Promise<PeerView[]> {
    return answersWithin(answerWithinMs, this.#options.instances.map(askPeer));
  }

  /** Nothing says that the agreed master is about to be replaced. */
  #isUndisputed(): boolean {
    return this.#agreement.kind === "agreed" && !isDisputed(this.#views, this.#agreement);
  }

  /** The Sentinels agree on another instance, and it says that it is the master. Asked after them: it may just have become something else. */
  async #isReplaced(): Promise<boolean> {
    const agreement = this.#agreement;
    if (agreement.kind === "none" || !this.#isUndisputed()) return false;
    if (sameAddress(agreement.master, this.#options.self)) return false;
    return this.#inTime(isMaster(this.#options, agreement.master), false);
  }

  /**
   * A script that has written and doesn't end can't be killed, and this instance takes no orders meanwhile. Once another one is the master nothing
   * that the script does will ever count: its server is ended, and starts as a replica.
   */
  async #whileBusy(): Promise<void> {
    const { endServer, log } = this.#options;
    const replaced = await this.#isReplaced();
    const nowMs = performance.now();
    this.#linkedOffset = undefined;
    this.#sightings.look(replaced ? ["busy"] : [], nowMs);
    if (!lasts(this.#sightings.sinceMs("busy"), supervisionTimes.busy, nowMs)) return;
    log.error("another instance is the master and a script keeps this one busy: ending it");
    endServer();
  }

  /** An answer of other instances, or what holds without it. */
  async #inTime<T>(question: Promise<T>, otherwise: T): Promise<T> {
    const [answer = otherwise] = await answersWithin(answerWithinMs, [question]);
    return answer;
  }
}

/** This instance is the agreed master. */
export interface Leadership {
  readonly epoch: number;
  /** The replicas that are connected with it. */
  readonly replicas: readonly Address[];
}

/** What the copies that answer mean for this instance. */
interface CopiesInSight {
  readonly alone: boolean;
  readonly unproven: boolean;
  readonly needed: boolean;
}

/** What an instance's own server says of itself. */
interface OwnState {
  readonly role: Role;
  readonly priority: number;
  readonly writable: boolean;
}
