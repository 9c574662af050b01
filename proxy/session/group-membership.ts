import type { MasterLink } from "../upstream/master-link.ts";
import type { GroupKey, UpstreamGroup, Waiter } from "../upstream/upstream-group.ts";

/** Somebody who belongs to a kind of clients. */
export interface Member extends Waiter {
  readonly identity: GroupKey;
}

/** A client's place among those that may share connections with it. */
export class GroupMembership {
  readonly #link: MasterLink;
  readonly #member: Member;
  #group: UpstreamGroup | undefined;

  /** @param member the client, with the user, database and protocol that it has now. */
  constructor(link: MasterLink, member: Member) {
    this.#link = link;
    this.#member = member;
  }

  /** The connections of its kind of clients. */
  get group(): UpstreamGroup {
    if (this.#group === undefined) {
      const { credentials, db, protocol } = this.#member.identity;
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
