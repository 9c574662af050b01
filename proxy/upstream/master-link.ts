import type { Logger } from "pino";
import type { MasterState } from "../../quorum/master-state.ts";
import { type Address, sameAddress } from "../../runtime/address.ts";
import { afterSocketsWereRead } from "../../runtime/after-sockets-were-read.ts";
import type { TlsFiles } from "../../runtime/tls-files.ts";
import type { Durability } from "./confirmation-gate.ts";
import { Doubts } from "./doubts.ts";
import { type Rejection, rejectionOf, writesRefused } from "./rejection.ts";
import { ScriptStore } from "./script-store.ts";
import { ServerProcesses } from "./server-processes.ts";
import { Turns } from "./turns.ts";
import { Upstream } from "./upstream.ts";
import { type GroupHost, type GroupKey, lanes, UpstreamGroup, type Waiter } from "./upstream-group.ts";
import type { Credentials, UpstreamFailure, UpstreamOptions } from "./upstream-options.ts";
import { WriteRefusals } from "./write-refusals.ts";

export interface MasterLinkOptions {
  /** Milliseconds without a master after which commands are answered with an error. */
  readonly holdTimeoutMs: number;
  /** Connections for single clients that may be open at a time. */
  readonly maxDedicated: number;
  readonly log: Logger;
  /** With it writes are answered when a replica has them, too. */
  readonly durability?:
    | (Pick<Durability, "timeoutMs" | "observe"> & { readonly replicas: number })
    | undefined;
  /** With it the connections are encrypted. */
  readonly tls?: TlsFiles | undefined;
  /** Asks a Redis for its `INFO`. Rejects when there is no answer in time. */
  readonly askInfo: (address: Address) => Promise<string>;
  /** The proxy's own user; undefined: nobody needs to log in. */
  readonly own: () => Credentials | undefined;
  /** Bytes of the scripts that are kept for clients. */
  readonly scriptBytes: number;
  /** Something is wrong with the master: it should be asked whether it still is one. */
  readonly suspect: (reason: string) => void;
  /** A pause of the link's own is over: it wants to know again what the watcher knows. */
  readonly resume: () => void;
  /** Commands don't wait any more: there is a master, or there was none for too long. */
  readonly released: () => void;
  /** Takes note of a refusal by a Redis that is no master that works. */
  readonly rejected: (rejection: Rejection) => void;
  /** Takes note of how long commands waited for a master, s. */
  readonly held: (seconds: number) => void;
}

/** What came of `AUTH`: accepted, the server's error, or nobody to ask and why. */
export type AuthResult = true | { readonly error: string } | { readonly again: string };

/** What clients may expect now. `circuitOpen`: there was no master for too long, nothing is held any more. */
export type LinkState = "following" | "holding" | "circuitOpen";

/** Silence of an upstream that is to answer, ms; and of one that is to be asked. */
const silenceMs = 300;
const watchEveryMs = 100;
/** The connections of users, databases and protocols without clients are kept so long, ms. */
const keepGroupMs = 5000;
/** What an old master still has to say after it was replaced or refused a write, ms. */
const lastWordsMs = 50;
/** So long a master that was replaced may take to become a replica, ms. */
const unblocksWithinMs = 500;
/** When some replica was too slow, one is enough for so long, ms: waiting for all once in this time costs little. */
const incompleteMs = 2000;
/** Clients that go on in one turn of the event loop: a new master is not flooded, and the loop goes on. */
const wakePerTurn = 256;

/** All connections to the master that is followed, and the clients that wait while there is none. */
export class MasterLink implements GroupHost {
  /** Whose turn it is to send what may have broken a connection or a master. */
  readonly suspects = new Turns();
  /** What clients rely on that is in no data. */
  readonly scripts: ScriptStore;
  readonly processes: ServerProcesses;
  readonly #options: MasterLinkOptions;
  readonly #groups = new Map<string, UpstreamGroup>();
  readonly #upstreams = new Set<Upstream>();
  readonly #waiting = new Set<Waiter>();
  readonly #doubts: Doubts;
  readonly #watch: NodeJS.Timeout;
  #master: Address | undefined;
  #term = 0;
  #state: LinkState = "holding";
  /** A script keeps the master from answering: what is silent has to do with it. */
  #busy = false;
  #deadline: NodeJS.Timeout | undefined;
  #ticks = 0;
  readonly #writeRefusals = new WriteRefusals();
  #pause: NodeJS.Timeout | undefined;
  readonly #durability: Durability | undefined;
  /** Until then not all replicas are waited for; ms of the monotonic clock. */
  #incompleteUntil = Number.NEGATIVE_INFINITY;
  /** When the master was doubted last because of a connection that waits for replicas, ms of the monotonic clock. */
  #doubtedAt = Number.NEGATIVE_INFINITY;
  #dedicated = 0;
  #holdingSince = performance.now();
  /** How often there was no master. */
  interruptions = 0;

  constructor(options: MasterLinkOptions) {
    this.#options = options;
    const { durability } = options;
    this.#doubts = new Doubts(options.askInfo);
    this.scripts = new ScriptStore(options.scriptBytes);
    this.processes = new ServerProcesses(
      {
        open: () => this.open({ credentials: options.own(), db: 0, protocol: 2 }, () => undefined, false),
        refused: (error) =>
          options.log.warn({ error }, "the master doesn't load clients' scripts for the proxy"),
      },
      this.scripts,
    );
    this.#durability = durability && {
      ...durability,
      wanted: () => (performance.now() < this.#incompleteUntil ? 1 : durability.replicas),
      missed: () => {
        this.#incompleteUntil = performance.now() + incompleteMs;
      },
      asksAhead: () => !this.#writeRefusals.recent,
    };
    // Not before what has come while this process was paused is read.
    this.#watch = setInterval(() => afterSocketsWereRead(() => this.#lookForSilence()), watchEveryMs);
    this.#startDeadline();
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
      clearTimeout(this.#deadline);
      this.#deadline = undefined;
      const before = this.#master;
      this.#master = state.master;
      if (this.#state !== "following") this.#options.held((performance.now() - this.#holdingSince) / 1000);
      this.#state = "following";
      this.#busy = state.busy === true;
      if (before !== undefined && !sameAddress(before, state.master)) {
        this.#term++;
        for (const group of this.#groups.values()) group.retries.succeeded();
        this.#writeRefusals.forget();
        for (const upstream of [...this.#upstreams]) {
          if (!sameAddress(upstream.options.address, state.master)) this.#replaced(upstream);
        }
      }
      if (this.#busy) this.#lookForSilence();
      this.#wake();
      this.processes.look();
      return;
    }
    this.#busy = false;
    this.#hold();
    // It says that it is none: what it still answers may never become true.
    if (state.suspect === undefined) {
      const old = [...this.#upstreams];
      setTimeout(() => {
        if (this.#state !== "following") for (const upstream of old) upstream.destroy("no master any more");
      }, lastWordsMs).unref();
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
    const { credentials, db, protocol } = key;
    const name = JSON.stringify([credentials?.user, credentials?.password, db, protocol]);
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = new UpstreamGroup(key, this);
      this.#groups.set(name, group);
    }
    return group;
  }

  /** Calls the waiter when there is a master, or when nothing is held any more. */
  wait(waiter: Waiter): void {
    this.#waiting.add(waiter);
  }

  forget(waiter: Waiter): void {
    this.#waiting.delete(waiter);
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

  /**
   * Whether the server accepts a client's credentials.
   *
   * @param keep gets the connection on which it was asked, when it was accepted.
   */
  async authenticate(
    credentials: Credentials | undefined,
    keep: (upstream: Upstream) => void,
  ): Promise<AuthResult> {
    const outcome = Promise.withResolvers<AuthResult>();
    const upstream = this.open(
      { credentials, db: 0, protocol: 2 },
      ({ kind, message }) =>
        outcome.resolve(kind === "denied" ? { error: message } : kind === "busy" ? true : { again: message }),
      false,
    );
    if (upstream === undefined) return { again: "there is no master" };
    upstream.onceOpened((ready) => {
      if (ready) outcome.resolve(true);
    });
    const result = await outcome.promise;
    if (result === true && upstream.ready) keep(upstream);
    else upstream.destroy();
    return result;
  }

  /** Ends everything. */
  close(): void {
    clearInterval(this.#watch);
    clearTimeout(this.#pause);
    clearTimeout(this.#deadline);
    this.processes.close();
    for (const upstream of [...this.#upstreams]) upstream.destroy();
  }

  /** In a hand-over the old master becomes a replica in these milliseconds, perhaps a little later, and gives back then what blocks there. */
  #replaced(upstream: Upstream): void {
    const end = (): void => upstream.destroy("the master was replaced");
    if (upstream.replaced()) setTimeout(end, unblocksWithinMs).unref();
    else end();
  }

  #hold(): void {
    if (this.#state !== "following") return;
    this.#state = "holding";
    this.interruptions++;
    this.#holdingSince = performance.now();
    this.#startDeadline();
  }

  #startDeadline(): void {
    this.#deadline ??= setTimeout(() => {
      this.#state = "circuitOpen";
      this.#options.log.error(
        { holdTimeoutMs: this.#options.holdTimeoutMs, waiting: this.#waiting.size },
        "no master within the hold time: commands are answered with -LOADING",
      );
      // A master that is only busy keeps what it has in flight so long, and no longer.
      for (const upstream of [...this.#upstreams]) upstream.destroy("no master within the hold time");
      this.#wake();
    }, this.#options.holdTimeoutMs);
  }

  /** Those who wait go on in the order in which they came. */
  #wake(): void {
    const state = this.#state;
    const next = (): void => {
      let count = 0;
      for (const waiter of this.#waiting) {
        if (this.#state !== state) return;
        this.#waiting.delete(waiter);
        waiter.wake();
        if (++count === wakePerTurn) break;
      }
      if (this.#waiting.size > 0 && count > 0) afterSocketsWereRead(next);
    };
    if (this.#waiting.size > 0) afterSocketsWereRead(next);
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
    setTimeout(() => upstream.destroy(`it answered ${rejection}`), lastWordsMs).unref();
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

  /** A frozen master closes nothing: it is found by its silence. */
  #lookForSilence(): void {
    const now = performance.now();
    const trim = ++this.#ticks % 100 === 0;
    for (const [name, group] of this.#groups) {
      // That a kind of clients is refused is worth knowing when the next of them comes.
      const emptyMs = group.denied === undefined ? now - (group.emptySince ?? now) : 0;
      if (emptyMs > keepGroupMs) {
        this.#groups.delete(name);
        group.close();
        continue;
      }
      if (trim) group.trim();
      for (const lane of lanes) {
        const shared = group.current(lane);
        if (shared !== undefined && now - shared.quietSince >= silenceMs) {
          if (this.#busy && shared.inFlight > 0) {
            // The script came over it, or what it has is answered in a moment: nothing new waits behind that.
            group.retire(shared);
            shared.endWhenIdle();
          } else this.#doubt(shared, now);
        }
      }
    }
  }

  /** Finds out why a shared connection is silent. */
  #doubt(shared: Upstream, now: number): void {
    if (shared.inFlight === 0) {
      shared.ask(["PING"], { reply: () => undefined, lost: () => undefined });
      return;
    }
    if (this.#state !== "following") return;
    // Where it waits for replicas it is silent although it is well: it isn't doubted again and again.
    if (shared.confirming && now - this.#doubtedAt < silenceMs * 2) return;
    this.#doubtedAt = now;
    // The master says again and again that it is one, but not here: this connection leads to nobody any more.
    if (now - shared.quietSince > this.#options.holdTimeoutMs)
      shared.destroy("it is silent, the master isn't");
    else this.#options.suspect(`no answer for ${silenceMs} ms`);
  }
}
