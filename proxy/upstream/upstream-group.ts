import { afterSocketsWereRead } from "../../runtime/after-sockets-were-read.ts";
import type { Protocol } from "../resp/encode-reply.ts";
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
  /** Why the server doesn't accept this user (any more). */
  denied: string | undefined;
  #busy: { readonly message: string; readonly untilMs: number } | undefined;
  /** The server has accepted this user, and has not refused it since. */
  accepted = false;
  /** Clients of its kind; without any it is ended after a while. */
  members = 0;
  /** When the last one left, ms of the monotonic clock. */
  emptySince = performance.now();
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

  /** What the server has just said to a new connection when a script kept it busy: there is no other one for now. */
  get busy(): string | undefined {
    return this.#busy !== undefined && performance.now() < this.#busy.untilMs
      ? this.#busy.message
      : undefined;
  }

  /** The connection that all of a lane share; undefined when it isn't there yet: the waiter is woken then. */
  shared(waiter: Waiter, lane: Lane): Upstream | undefined {
    const ready = this.current(lane);
    if (ready !== undefined) return ready;
    this.#waiters.add(waiter);
    if (this.busy !== undefined) this.#wakeAll();
    else this.#shared[lane] ??= this.#open(() => this.#wakeAll(), false);
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
    if (this.busy !== undefined && !evenBusy) {
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

  forget(waiter: Waiter): void {
    this.#waiters.delete(waiter);
  }

  /** Ends all connections that no client has for itself. */
  close(): void {
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
        this.denied = undefined;
        this.accepted = true;
      }
      settled();
    });
    return upstream;
  }

  #closed(upstream: Upstream, failure: UpstreamFailure): void {
    if (failure.kind === "denied") {
      this.denied = failure.message;
      this.accepted = false;
    }
    if (failure.kind === "busy") {
      this.denied = undefined;
      this.accepted = true;
      this.#busy = { message: failure.message, untilMs: performance.now() + busyForMs };
    }
    this.#allowed.clear();
    this.retire(upstream);
    const at = this.#idle.indexOf(upstream);
    if (at >= 0) this.#idle.splice(at, 1);
  }

  #wakeAll(): void {
    afterSocketsWereRead(() => {
      const waiters = [...this.#waiters];
      this.#waiters.clear();
      for (const waiter of waiters) waiter.wake();
    });
  }
}
