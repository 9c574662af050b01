import type { Upstream } from "../upstream/upstream.ts";
import type { ConnectionSeeker, ConnectionWait } from "./connection-wait.ts";
import type { Identity } from "./identity.ts";
import type { Ledger } from "./ledger.ts";

/** Whose commands go over a connection that others use, too. */
export interface Sharer extends ConnectionSeeker {
  readonly ledger: Ledger;
  readonly identity: Identity;
  readonly connecting: ConnectionWait;
  /** There is a master. */
  readonly following: boolean;
  /** Goes on when there is a master. */
  waitForMaster(): void;
  /** The server has agreed to a change of who it is. */
  become(change: Partial<Identity>): void;
}

/** The connection that one client shares with all others of its kind. */
export class SharedLink {
  readonly #session: Sharer;
  #last: Upstream | undefined;
  #lost = false;

  constructor(session: Sharer) {
    this.#session = session;
  }

  /** One that this client has used was lost since {@link forgetLosses}. */
  get lost(): boolean {
    return this.#lost || this.#last?.ready === false;
  }

  /** The client was told of it. */
  forgetLosses(): void {
    this.#lost = false;
    this.#last = undefined;
  }

  /** The one that is there; undefined: none is, or what was sent over another one isn't answered. */
  current(): Upstream | undefined {
    const session = this.#session;
    return session.following ? this.#use(session.group().current(session.ledger.lane)) : undefined;
  }

  /** The same; where there is none, the client goes on when there is. */
  acquire(): Upstream | undefined {
    const session = this.#session;
    if (!session.following) {
      session.waitForMaster();
      return undefined;
    }
    const upstream = session.group().shared(session, session.ledger.lane);
    if (upstream === undefined) session.connecting.begin();
    return this.#use(upstream);
  }

  #use(upstream: Upstream | undefined): Upstream | undefined {
    const session = this.#session;
    if (upstream === undefined) return undefined;
    if (upstream !== this.#last) {
      // Replies of another connection could come after those of this one.
      if (session.ledger.outstanding > 0) return undefined;
      // To look for a connection is enough to get another one: what became of the last must not be forgotten by that.
      if (this.#last?.ready === false) this.#lost = true;
      this.#last = upstream;
    }
    if (!session.identity.authorized) session.become({ authorized: true });
    return upstream;
  }
}
