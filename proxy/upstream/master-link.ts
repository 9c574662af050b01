import type { MasterState } from "../../quorum/master-state.ts";
import { type Address, sameAddress } from "../../runtime/address.ts";
import type { Durability } from "./confirmation-gate.ts";
import { Doubts } from "./doubts.ts";
import { HoldTime } from "./hold-time.ts";
import type { MasterLinkOptions } from "./master-link-options.ts";
import { patient } from "./patient-durability.ts";
import { type Rejection, rejectionOf, writesRefused } from "./rejection.ts";
import { ScriptStore } from "./script-store.ts";
import { ServerProcesses } from "./server-processes.ts";
import { SilenceWatch } from "./silence-watch.ts";
import { Turns } from "./turns.ts";
import { Upstream } from "./upstream.ts";
import type { GroupHost, GroupKey, UpstreamGroup, Waiter } from "./upstream-group.ts";
import { UpstreamGroups } from "./upstream-groups.ts";
import type { UpstreamFailure, UpstreamOptions } from "./upstream-options.ts";
import { WaitingRoom } from "./waiting-room.ts";
import { WriteRefusals } from "./write-refusals.ts";

/** What an old master still has to say after it was replaced or refused a write, ms. */
const lastWordsMs = 50;
/** So long a master that was replaced may take to become a replica, ms. */
const unblocksWithinMs = 500;

/** What clients may expect now. `circuitOpen`: there was no master for too long, nothing is held any more. */
export type LinkState = "following" | "holding" | "circuitOpen";

/** All connections to the master that is followed, and the clients that wait while there is none. */
export class MasterLink implements GroupHost {
  /** Whose turn it is to send what may have broken a connection or a master. */
  readonly suspects = new Turns();
  /** What clients rely on that is in no data. */
  readonly scripts: ScriptStore;
  readonly processes: ServerProcesses;
  readonly #options: MasterLinkOptions;
  readonly #groups = new UpstreamGroups(this);
  readonly #upstreams = new Set<Upstream>();
  readonly #waiting = new WaitingRoom();
  readonly #doubts: Doubts;
  readonly #silence: SilenceWatch;
  #master: Address | undefined;
  #term = 0;
  #state: LinkState = "holding";
  /** A script keeps the master from answering: what is silent has to do with it. */
  #busy = false;
  readonly #holdTime: HoldTime;
  readonly #writeRefusals = new WriteRefusals();
  #pause: NodeJS.Timeout | undefined;
  readonly #durability: Durability | undefined;
  #dedicated = 0;
  /** How often there was no master. */
  interruptions = 0;

  constructor(options: MasterLinkOptions) {
    this.#options = options;
    const { durability } = options;
    this.#doubts = new Doubts(options.askInfo);
    this.scripts = new ScriptStore(options.scriptBytes);
    this.processes = new ServerProcesses(
      {
        open: () => {
          const credentials = this.#master && options.own(this.#master);
          return this.open({ credentials, db: 0, protocol: 2 }, () => undefined, false);
        },
        refused: (error) =>
          options.log.warn({ error }, "the master doesn't load clients' scripts for the proxy"),
      },
      this.scripts,
    );
    this.#durability = durability && patient(durability, () => !this.#writeRefusals.recent);
    this.#silence = new SilenceWatch(this.#groups, {
      holdTimeoutMs: options.holdTimeoutMs,
      following: () => this.#state === "following",
      busy: () => this.#busy,
      suspect: options.suspect,
    });
    this.#holdTime = new HoldTime(options.holdTimeoutMs, () => this.#giveUp());
    this.#holdTime.begin();
  }

  get state(): LinkState {
    return this.#state;
  }

  /** Number of the master that is followed, or was last: another one has another number. */
  get term(): number {
    return this.#term;
  }

  get holdTimeoutMs(): number {
    return this.#options.holdTimeoutMs;
  }

  /** Clients that wait for a master. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Open connections to the master. */
  get upstreams(): number {
    return this.#upstreams.size;
  }

  /** No client gets a connection of its own any more: Redis would refuse it, and then the proxy's own, too. */
  get full(): boolean {
    return this.#dedicated >= this.#options.maxDedicated;
  }

  /** Takes over what the watcher knows. A new master ends all connections to the old one. */
  follow(state: MasterState): void {
    if (state.kind === "following") {
      const heldSeconds = this.#holdTime.end();
      const before = this.#master;
      this.#master = state.master;
      if (this.#state !== "following") this.#options.held(heldSeconds);
      this.#state = "following";
      this.#busy = state.busy === true;
      if (before !== undefined && !sameAddress(before, state.master)) {
        this.#term++;
        for (const group of this.#groups) group.retries.succeeded();
        this.#writeRefusals.forget();
        for (const upstream of [...this.#upstreams]) {
          if (!sameAddress(upstream.options.address, state.master)) this.#replaced(upstream);
        }
      }
      if (this.#busy) this.#silence.look();
      this.#wake();
      this.processes.look();
      return;
    }
    this.#busy = false;
    this.#hold();
    // It says that it is none: what it still answers may never become true.
    if (state.suspect === undefined) {
      const old = [...this.#upstreams];
      const patienceMs = Math.max(0, ...old.map((upstream) => this.#lastWordsMs(upstream)));
      setTimeout(() => {
        if (this.#state !== "following") for (const upstream of old) upstream.destroy("no master any more");
      }, patienceMs).unref();
    }
  }

  /** Why a reply means that its command was not executed and is sent again; undefined: it is the client's to know. */
  rejects(reply: Buffer): Rejection | undefined {
    const rejection = rejectionOf(reply);
    if (rejection === undefined || !writesRefused.has(rejection)) return rejection;
    return this.#writeRefusals.refused(this.#options.holdTimeoutMs) ? rejection : undefined;
  }

  /** The connections for one kind of clients. */
  group(key: GroupKey): UpstreamGroup {
    return this.#groups.of(key);
  }

  /** Calls the waiter when there is a master, or when nothing is held any more. */
  wait(waiter: Waiter): void {
    this.#waiting.add(waiter);
  }

  forget(waiter: Waiter): void {
    this.#waiting.forget(waiter);
  }

  open(
    key: GroupKey,
    onClose: UpstreamOptions["onClose"],
    dedicated: boolean,
    evenBusy = false,
  ): Upstream | undefined {
    if (this.#master === undefined || this.#state !== "following") return undefined;
    const upstream: Upstream = new Upstream({
      address: this.#master,
      term: this.#term,
      tls: this.#options.tls,
      ...key,
      evenBusy,
      connectTimeoutMs: 1000,
      durability: this.#durability,
      scripts: this.scripts,
      rejects: (reply) => this.rejects(reply),
      prove: (reply, done) =>
        this.#doubts.settle(upstream.options.address, reply, (proven) =>
          done(proven ? this.rejects(reply) : undefined),
        ),
      onRejection: (rejection) => this.#rejected(upstream, rejection, key),
      onClose: (failure) => {
        this.#upstreams.delete(upstream);
        if (dedicated) this.#dedicated--;
        onClose(failure);
        this.#closed(upstream, failure);
      },
    });
    this.#upstreams.add(upstream);
    if (dedicated) this.#dedicated++;
    return upstream;
  }

  /** Ends everything. */
  close(): void {
    this.#silence.stop();
    clearTimeout(this.#pause);
    this.#holdTime.stop();
    this.processes.close();
    for (const upstream of [...this.#upstreams]) upstream.destroy();
  }

  /** In a hand-over the old master becomes a replica in these milliseconds, perhaps a little later, and gives back then what blocks there. */
  #replaced(upstream: Upstream): void {
    const end = (): void => upstream.destroy("the master was replaced");
    if (upstream.replaced() || this.#closesFirst(upstream)) setTimeout(end, unblocksWithinMs).unref();
    else end();
  }

  #closesFirst({ options: { address } }: Upstream): boolean {
    return this.#options.closesFirst?.(address) === true;
  }

  #lastWordsMs(upstream: Upstream): number {
    return this.#closesFirst(upstream) ? unblocksWithinMs : lastWordsMs;
  }

  #hold(): void {
    if (this.#state !== "following") return;
    this.#state = "holding";
    this.interruptions++;
    this.#holdTime.begin();
  }

  #giveUp(): void {
    this.#state = "circuitOpen";
    const { holdTimeoutMs, log } = this.#options;
    log.error(
      { holdTimeoutMs, waiting: this.#waiting.size },
      "no master within the hold time: commands are answered with -LOADING",
    );
    // A master that is only busy keeps what it has in flight so long, and no longer.
    for (const upstream of [...this.#upstreams]) upstream.destroy("no master within the hold time");
    this.#wake();
  }

  #wake(): void {
    const state = this.#state;
    this.#waiting.wake(() => this.#state === state);
    this.#options.released();
  }

  /** A master that takes no writes is the right one, only too early. */
  #waitForWrites(): void {
    this.#hold();
    this.#pause ??= setTimeout(() => {
      this.#pause = undefined;
      this.#options.resume();
    }, lastWordsMs);
  }

  #rejected(upstream: Upstream, rejection: Rejection, key: GroupKey): void {
    this.#options.rejected(rejection);
    // It says nothing about the one that has replaced it.
    if (upstream.options.term !== this.#term) return;
    if (writesRefused.has(rejection)) {
      this.#waitForWrites();
      if (upstream.confirming) {
        // Redis waits there for replicas that are missing: the others shall read meanwhile.
        this.group(key).retire(upstream);
        upstream.endWhenIdle();
      }
      return;
    }
    this.group(key).retire(upstream);
    this.#options.suspect(`the master answered ${rejection}`);
    setTimeout(() => upstream.destroy(`it answered ${rejection}`), this.#lastWordsMs(upstream)).unref();
  }

  #closed(upstream: Upstream, { kind, message }: UpstreamFailure): void {
    const current = this.#master !== undefined && sameAddress(upstream.options.address, this.#master);
    // What ends the connection of a single client, or one that is new, says nothing about the master while it answers the others.
    const single = kind === "closed" || (kind === "lost" && upstream.replies.owner !== undefined);
    if (single && [...this.#upstreams].some((other) => other.replies.owner === undefined && other.ready))
      return;
    if (current && (kind === "lost" || kind === "closed" || kind === "unreachable" || kind === "notMaster")) {
      this.#options.suspect(message);
    }
  }
}
