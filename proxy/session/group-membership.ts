import type { MasterLink } from "../upstream/master-link.ts";
import type { UpstreamGroup, Waiter } from "../upstream/upstream-group.ts";
import { type Identity, sameGroup, stranger } from "./identity.ts";

/** Who a client is, and its place among those that may share connections with it. */
export class GroupMembership {
  readonly #link: MasterLink;
  readonly #member: Waiter;
  #identity = stranger;
  #group: UpstreamGroup | undefined;
  /** Since when the server could have accepted it, ms of the monotonic clock. */
  #knockingSince = performance.now();

  constructor(link: MasterLink, member: Waiter) {
    this.#link = link;
    this.#member = member;
  }

  get identity(): Identity {
    return this.#identity;
  }

  /** With another user, database or protocol it gets other connections from now on. */
  become(change: Partial<Identity>): void {
    const before = this.#identity;
    this.#identity = { ...before, ...change };
    if (!sameGroup(before, this.#identity)) this.leave();
  }

  /** How long the server could have accepted it and hasn't, ms. @param excused just now nobody could. */
  unacceptedMs(now: number, excused: boolean): number {
    if (this.#identity.authorized) return 0;
    if (excused) this.#knockingSince = now;
    return now - this.#knockingSince;
  }

  /** The connections of its kind of clients. */
  get group(): UpstreamGroup {
    if (this.#group === undefined) {
      const { credentials, db, protocol } = this.#identity;
      this.#group = this.#link.group({ credentials, db, protocol });
      this.#group.join();
    }
    return this.#group;
  }

  /** It has gone, or is of another kind now. */
  leave(): void {
    const group = this.#group;
    if (group === undefined) return;
    this.#group = undefined;
    group.leave(this.#member);
  }
}
