import { afterSocketsWereRead } from "../../runtime/after-sockets-were-read.ts";
import type { Protocol } from "../resp/encode-reply.ts";
import { OpenRetries } from "./open-retries.ts";
import type { Upstream } from "./upstream.ts";
import type { Credentials, UpstreamFailure, UpstreamOptions } from "./upstream-options.ts";

/** Somebody who waits for a connection. */
export interface Waiter {
  /** It may be there now; or it was refused. */
  wake(): void;
}

/** What distinguishes clients that may not share a connection. */
export interface GroupKey {
  readonly credentials: Credentials | undefined;
  readonly db: number;
  readonly protocol: Protocol;
}

/** What a group needs from whoever knows the master. */
export interface GroupHost {
  /**
   * Begins a connection with the current master; undefined when there is none.
   *
   * @param dedicated it is for one client alone.
   * @param evenBusy it is for what a busy Redis does, too.
   */
  open(
    key: GroupKey,
    onClose: UpstreamOptions["onClose"],
    dedicated: boolean,
    evenBusy?: boolean,
  ): Upstream | undefined;
}

/** Clients with big replies share a connection beside that of the others, whose replies would wait behind theirs. */
export type Lane = "small" | "big";
/** All of them. */
export const lanes: readonly Lane[] = ["small", "big"];

/** Connections that are kept for the next transaction or blocking command. */
const maxIdle = 32;

/** What a busy Redis has told one new connection counts for others so long, ms. */
const busyForMs = 50;

/** The connections of all clients with the same user, database and protocol: one or two shared ones, and those of single clients. */
export class UpstreamGroup {
  readonly key: GroupKey;
  /** Tries to open connections that the server doesn't take. */
  readonly retries = new OpenRetries();
  #wakeTimer: NodeJS.Timeout | undefined;
  #busy: { readonly message: string; untilMs: number } | undefined;
  #denied: string | undefined;
  #accepted = false;
  #members = 0;
  #emptySince = performance.now();
  /** Commands that the shared connection has let this user do, among those that the proxy does itself. */
  readonly #allowed = new Set<string>();
  readonly #host: GroupHost;
  readonly #waiters = new Set<Waiter>();
  readonly #idle: Upstream[] = [];
  readonly #shared: Record<Lane, Upstream | undefined> = { small: undefined, big: undefined };

  constructor(key: GroupKey, host: GroupHost) {
    this.key = key;
    this.#host = host;
  }

  /** Why the server doesn't accept this user (any more). */
  get denied(): string | undefined {
    return this.#denied;
  }

  /** The server has accepted this user, and has not refused it since. */
  get accepted(): boolean {
    return this.#accepted;
  }

  /** Since when it has had no clients, ms of the monotonic clock; undefined: it has some. */
  get emptySince(): number | undefined {
    return this.#members === 0 ? this.#emptySince : undefined;
  }

  /** A client is of this kind now. */
  join(): void {
    this.#members++;
  }

  /** One has left, or is of another kind now. */
  leave(member: Waiter): void {
    this.#waiters.delete(member);
    if (--this.#members === 0) this.#emptySince = performance.now();
  }

  /** What the server has just said to a new connection when a script kept it busy: there is no other one for now. */
  get busy(): string | undefined {
    return this.#busy !== undefined && performance.now() < this.#busy.untilMs
      ? this.#busy.message
      : undefined;
  }

  /** Why the last try to open a connection came to nothing; undefined: it didn't. */
  get problem(): string | undefined {
    return this.retries.problem ?? this.#busy?.message;
  }

  /** The connection that all of a lane share; undefined when it isn't there yet: the waiter is woken then. */
  shared(waiter: Waiter, lane: Lane): Upstream | undefined {
    const ready = this.current(lane);
    if (ready !== undefined) return ready;
    this.#waiters.add(waiter);
    if (this.busy !== undefined) this.#wakeAll();
    else if (this.#shared[lane] === undefined) {
      if (this.retries.begin()) this.#shared[lane] = this.#open(() => this.#wakeAll(true), false);
      else this.#wakeTimer ??= setTimeout(() => this.#wakeAll(), this.retries.waitMs);
    }
    return undefined;
  }

  /** The connection of a lane, when it is there. */
  current(lane: Lane): Upstream | undefined {
    const upstream = this.#shared[lane];
    return upstream?.ready === true ? upstream : undefined;
  }

  /** There is a connection that the next client can have for itself. */
  get idle(): boolean {
    return this.#idle.some(({ ready }) => ready);
  }

  /** Whether the server has let this user do a command, on a connection that is there still. */
  allows(name: string): boolean {
    return this.current("small") !== undefined && this.#allowed.has(name);
  }

  /** The server has let this user do a command. */
  allow(name: string): void {
    this.#allowed.add(name);
  }

  /**
   * A connection for one client alone; `done` gets undefined when it could not be had.
   *
   * @param evenBusy it is for what a busy Redis does, too: nothing else may go over it.
   */
  dedicated(done: (upstream: Upstream | undefined) => void, evenBusy = false): void {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (idle.ready) {
        done(idle);
        return;
      }
    }
    if ((this.busy !== undefined && !evenBusy) || !this.retries.begin()) {
      done(undefined);
      return;
    }
    const opened = (): void => done(upstream?.ready === true ? upstream : undefined);
    const upstream = this.#open(opened, true, evenBusy);
    if (upstream === undefined) done(undefined);
  }

  /** Takes back a connection without any state, or ends it when there are enough. */
  release(upstream: Upstream): void {
    if (upstream.ready && upstream.inFlight === 0 && this.#idle.length < maxIdle) this.#idle.push(upstream);
    else upstream.destroy();
  }

  /** The others get a new connection: this one is given to a client, or isn't used any more, though replies may come. */
  retire(upstream: Upstream): void {
    for (const lane of lanes) if (this.#shared[lane] === upstream) this.#shared[lane] = undefined;
  }

  /** Ends all connections that no client has for itself. */
  close(): void {
    clearTimeout(this.#wakeTimer);
    for (const idle of this.#idle.splice(0)) idle.destroy();
    for (const lane of lanes) this.#shared[lane]?.destroy();
  }

  /** Ends connections that nobody has needed for a while. */
  trim(): void {
    this.#idle.shift()?.destroy();
  }

  #open(settled: () => void, dedicated: boolean, evenBusy = false): Upstream | undefined {
    const upstream: Upstream | undefined = this.#host.open(
      this.key,
      (failure) => upstream && this.#closed(upstream, failure),
      dedicated,
      evenBusy,
    );
    upstream?.onceOpened((ready) => {
      if (ready) {
        this.#denied = undefined;
        this.#accepted = true;
        this.retries.succeeded();
        if (!evenBusy) this.#busy = undefined;
      }
      settled();
    });
    if (upstream === undefined) this.retries.undecided();
    return upstream;
  }

  #closed(upstream: Upstream, failure: UpstreamFailure): void {
    if (!upstream.wasReady) {
      const { kind, message } = failure;
      if (kind === "denied" || kind === "busy" || kind === "retired") this.retries.undecided();
      else this.retries.failed(message);
    }
    if (failure.kind === "denied") {
      this.#denied = failure.message;
      this.#accepted = false;
    }
    if (failure.kind === "busy") {
      this.#denied = undefined;
      this.#accepted = true;
      this.#busy = { message: failure.message, untilMs: performance.now() + busyForMs };
    }
    this.#allowed.clear();
    this.retire(upstream);
    const at = this.#idle.indexOf(upstream);
    if (at >= 0) this.#idle.splice(at, 1);
  }

  /** @param tried they have waited for a try: who has waited for its answer gets it, however long it took to be told. */
  #wakeAll(tried = false): void {
    clearTimeout(this.#wakeTimer);
    this.#wakeTimer = undefined;
    afterSocketsWereRead(() => {
      if (tried && this.#busy !== undefined) this.#busy.untilMs = performance.now() + busyForMs;
      const waiters = [...this.#waiters];
      this.#waiters.clear();
      for (const waiter of waiters) waiter.wake();
    });
  }
}
