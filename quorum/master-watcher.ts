import { EventEmitter } from "node:events";
import { type Address, sameAddress } from "../runtime/address.ts";
import { isSource, type MoveSource } from "../runtime/move-source.ts";
import type { TlsFiles } from "../runtime/tls-files.ts";
import { agree, majoritySeesUp, newestView, type SentinelView } from "./agreement.ts";
import { askGoodReplicas, askReplicationIds, askRole, isBusy, type ReplicationIds } from "./ask-role.ts";
import { askSentinels } from "./ask-sentinel.ts";
import { ControlConnection } from "./control-connection.ts";
import {
  type Asked,
  type Candidate,
  candidateOf,
  type MasterState,
  nextState,
  type Probe,
  sameState,
} from "./master-state.ts";
import { PatientAgreement } from "./patient-agreement.ts";
import { failoverStep, promotedAddress, subscribeToSentinel } from "./sentinel-events.ts";

export interface MasterWatcherOptions {
  /** All Sentinels: a majority of these decides. */
  readonly sentinels: readonly Address[];
  readonly masterName: string;
  /** The user that the password belongs to, on Redis and the Sentinels. Default: the one named `default`. */
  readonly username?: string | undefined;
  readonly password: () => string | undefined;
  /** With it all connections are encrypted. */
  readonly tls?: TlsFiles | undefined;
  /** A Redis whose data are taken over: it is the master as long as the named instance is its replica. */
  readonly source?: MoveSource | undefined;
  /** A master with fewer replicas that keep up isn't followed: it may have been replaced, or be about to be. Default 0. */
  readonly neededReplicas?: number;
  /** Milliseconds between two rounds while there is a master, and while there is none. Default 1000 and 100. */
  readonly followingEveryMs?: number;
  readonly searchingEveryMs?: number;
}

/** A failover that has begun and is neither over nor given up after this time, ms, is not waited for any more. */
const promotionMs = 3000;
/** So long after a failover that came to nothing another one isn't waited for, ms: one Sentinel alone can tell of it. */
const disbeliefMs = 30_000;

interface MasterWatcherEvents {
  /** The master changed, was lost or was found. */
  change: [state: MasterState, before: MasterState];
}

/**
 * Follows the master: the address that a majority of all Sentinels names at an epoch never below the last accepted, and
 * that says `ROLE` master. All Sentinels' events wake it up; what it believes it has asked for.
 */
export class MasterWatcher extends EventEmitter<MasterWatcherEvents> {
  readonly #options: MasterWatcherOptions;
  readonly #sentinels: readonly ControlConnection[];
  readonly #agreement = new PatientAgreement();
  readonly #unsubscribe: (() => void)[] = [];
  #state: MasterState = { kind: "searching", reason: "nobody was asked yet" };
  #acceptedEpoch = 0;
  /** The replication ID of the master that was followed last. */
  #history: string | undefined;
  #views: readonly SentinelView[] = [];
  /** The master that was followed last, also when it was given up since. */
  #last: Address | undefined;
  /** Until then a failover that has begun is waited for; ms of the monotonic clock. */
  #promotionUntil = 0;
  /** Until then another failover that is told of is not waited for; ms of the monotonic clock. */
  #believesAgainAt = 0;
  #probe: ControlConnection | undefined;
  readonly #source: ControlConnection | undefined;
  /** Who is just being asked for its role. */
  #asking: Address | undefined;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  #again = false;
  #stopped = false;

  constructor(options: MasterWatcherOptions) {
    super();
    this.#options = options;
    this.#sentinels = options.sentinels.map((address) => this.#connect(address));
    this.#source = options.source && new ControlConnection(options.source);
  }

  get state(): MasterState {
    return this.#state;
  }

  /** Sentinels that answered in the last round, in time. */
  get reachableSentinels(): number {
    return this.#views.length;
  }

  /** What those Sentinels said. */
  get views(): readonly SentinelView[] {
    return this.#views;
  }

  /** Begins to watch. */
  start(): void {
    const { sentinels, username, password, tls } = this.#options;
    for (const sentinel of sentinels) {
      const onEvent = (channel: string, _sentinel: string, message: string): void =>
        this.#heard(channel, message);
      this.#unsubscribe.push(subscribeToSentinel({ sentinel, username, password, tls, onEvent }));
    }
    this.check();
  }

  /** Asks at once instead of at the next turn: something looks wrong. Never runs twice at a time. */
  check(): void {
    if (this.#stopped) return;
    if (this.#round !== undefined) {
      this.#again = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#round = this.#decide().finally(() => {
      this.#round = undefined;
      if (this.#stopped) return;
      const { source, followingEveryMs = 1000, searchingEveryMs = 100 } = this.#options;
      // Nobody tells of a cut-over, and the old master only refuses writes after it: it is looked for.
      const settled = this.#state.kind === "following" && !isSource(source, this.#state.master);
      const pause = settled ? followingEveryMs : searchingEveryMs;
      this.#timer = setTimeout(() => this.check(), this.#again ? 0 : pause);
      this.#again = false;
    });
  }

  /**
   * Doubts the master that is followed, because a client's connection to it shows something wrong, and asks at once.
   * Nobody new is sent to it until it has said again that it is the master.
   */
  suspect(reason: string): void {
    if (this.#state.kind === "following") {
      const { master, configEpoch } = this.#state;
      const suspect = { master, configEpoch, failures: 0, sinceMs: performance.now() };
      this.#change({ kind: "searching", reason, suspect });
    }
    this.check();
  }

  /** Ends all connections. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    await this.#round;
    for (const connection of this.#sentinels) connection.close();
    this.#probe?.close();
    this.#source?.close();
  }

  #heard(channel: string, message: string): void {
    const step = failoverStep(channel, message, this.#options.masterName);
    if (step?.kind === "begins") {
      // News that was held up on its way may tell of the failover that has made the master what it is.
      if (this.#last === undefined || !sameAddress(this.#last, step.master)) return;
      // Two events tell of it; the second must not begin it again after it is over. And who tells of failovers that never
      // come is not waited for each time.
      const now = performance.now();
      if (now < this.#believesAgainAt) return;
      this.#promotionUntil = now + promotionMs;
      this.#believesAgainAt = now + disbeliefMs;
      this.suspect("a failover is under way");
    } else {
      if (step?.kind === "aborts") this.#promotionUntil = 0;
      // A frozen master is asked until its time is up. Who replaces it is known now, so its answer isn't needed.
      const promoted = promotedAddress(channel, message, this.#options.masterName);
      const asked = this.#asking;
      if (promoted !== undefined && asked !== undefined && !sameAddress(promoted, asked))
        this.#probe?.close();
      this.check();
    }
  }

  async #decide(): Promise<void> {
    const { masterName, sentinels } = this.#options;
    const options = { sentinelCount: sentinels.length, minEpoch: this.#acceptedEpoch };
    const { views } = await askSentinels(
      this.#sentinels,
      masterName,
      (some) =>
        newestView(some, this.#leaderOptions()) !== undefined ||
        (agree(some, options).kind === "agreed" && "nearly"),
    );
    this.#views = views;
    const agreement = this.#agreement.agree(views, options, performance.now());
    if (agreement.kind === "none" && (await this.#followLeader(views))) return;
    const candidate = candidateOf(this.#state, agreement);
    const asked = candidate && (await this.#askCandidate(candidate, views));
    const state = nextState(this.#state, agreement, asked, performance.now());
    if (this.#isBeingReplaced(state)) return;
    this.#change(state);
    // It changes when a master is promoted, and when one lost its data.
    if (state.kind === "following" && state.busy !== true)
      this.#history = (await this.#askHistory())?.current;
  }

  /**
   * Who takes over the data of a foreign Redis follows that, and is no master before it is told to be one. Then the foreign one takes no writes
   * any more, so that it can be asked as long as the instance that would tell is away.
   */
  async #askCandidate(candidate: Candidate, views: readonly SentinelView[]): Promise<Asked> {
    const probe = await this.#ask(candidate.master);
    const { source } = this.#options;
    const follows = probe.kind === "replica" && isSource(source, probe.master);
    const away = probe.kind === "silent" && this.#last !== undefined && isSource(source, this.#last);
    if (this.#source !== undefined && (follows || away)) {
      const master = this.#source.address;
      return {
        candidate: { master, configEpoch: candidate.configEpoch },
        probe: await this.#askOn(this.#source),
        seenUp: false,
      };
    }
    return {
      candidate,
      probe,
      seenUp: majoritySeesUp(views, candidate.master, this.#options.sentinels.length),
    };
  }

  /**
   * The old master still says that it is one, and a replica is being promoted: what it executes now is lost. It may have been given up
   * meanwhile, and be there again before the Sentinels name its heir.
   */
  #isBeingReplaced(state: MasterState): boolean {
    if (state.kind !== "following" || performance.now() > this.#promotionUntil) return false;
    return this.#last !== undefined && sameAddress(this.#last, state.master);
  }

  #change(state: MasterState): void {
    if (state.kind === "following") {
      this.#promotionUntil = 0;
      this.#acceptedEpoch = state.configEpoch;
    }
    const before = this.#state;
    this.#state = state;
    if (state.kind === "following") {
      if (this.#last !== undefined && !sameAddress(this.#last, state.master)) this.#believesAgainAt = 0;
      this.#last = state.master;
    }
    if (!this.#stopped && !sameState(before, state)) this.emit("change", state, before);
  }

  /**
   * Right after a promotion only the failover's leader names the new master: its word is enough when that Redis itself
   * says that it is master, and proves that it was a replica of the old one. Gives whether the leader is followed.
   */
  async #followLeader(views: readonly SentinelView[]): Promise<boolean> {
    if (this.#history === undefined) return false;
    const newest = newestView(views, this.#leaderOptions());
    if (newest === undefined || (await this.#ask(newest.master)).kind !== "master") return false;
    // A Sentinel may lie; a Redis that was promoted has the old master's history.
    const ids = await this.#askHistory();
    if (ids === undefined || ![ids.former, ids.current].includes(this.#history)) return false;
    this.#change({ kind: "following", master: newest.master, configEpoch: newest.configEpoch });
    this.#history = ids.current;
    return true;
  }

  #connect(address: Address): ControlConnection {
    const { username, password, tls } = this.#options;
    return new ControlConnection({ address, username, password, tls });
  }

  #leaderOptions(): { readonly sentinelCount: number; readonly above: number } {
    return { sentinelCount: this.#options.sentinels.length, above: this.#acceptedEpoch };
  }

  async #askHistory(): Promise<ReplicationIds | undefined> {
    try {
      return this.#probe && (await askReplicationIds(this.#probe));
    } catch {
      // Without it the leader's word isn't enough, and the majority decides a moment later.
      return undefined;
    }
  }

  async #ask(address: Address): Promise<Probe> {
    const following = this.#state.kind === "following" && sameAddress(this.#state.master, address);
    if (this.#probe === undefined || !following || !sameAddress(this.#probe.address, address)) {
      // A connection from before the decision may lead to a process that has since become something else.
      this.#probe?.close();
      this.#probe = this.#connect(address);
    }
    return this.#askOn(this.#probe);
  }

  async #askOn(connection: ControlConnection): Promise<Probe> {
    this.#asking = connection.address;
    try {
      const { neededReplicas = 0 } = this.#options;
      const [role, replicas] = await Promise.all([
        askRole(connection),
        neededReplicas > 0 ? askGoodReplicas(connection) : 0,
      ]);
      if (role.kind === "replica") return role;
      if (replicas >= neededReplicas) return { kind: role.kind };
      return {
        kind: "silent",
        problem: `it has ${replicas} of the ${neededReplicas} replicas that it needs`,
      };
    } catch (error) {
      if (isBusy(error)) return { kind: "busy", problem: error.message };
      return { kind: "silent", problem: error instanceof Error ? error.message : String(error) };
    } finally {
      this.#asking = undefined;
    }
  }
}
