import { type GroupHost, type GroupKey, UpstreamGroup } from "./upstream-group.ts";

/** The connections of users, databases and protocols without clients are kept so long, ms. */
const keepGroupMs = 5000;

/** The connections of all kinds of clients. */
export class UpstreamGroups {
  readonly #host: GroupHost;
  readonly #groups = new Map<string, UpstreamGroup>();

  constructor(host: GroupHost) {
    this.#host = host;
  }

  [Symbol.iterator](): Iterator<UpstreamGroup> {
    return this.#groups.values();
  }

  /** Those of one kind. */
  of(key: GroupKey): UpstreamGroup {
    const { credentials, db, protocol } = key;
    const name = JSON.stringify([credentials?.user, credentials?.password, db, protocol]);
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = new UpstreamGroup(key, this.#host);
      this.#groups.set(name, group);
    }
    return group;
  }

  /** Ends those that have had no clients for a while. @param now ms of the monotonic clock. */
  tidy(now: number): void {
    for (const [name, group] of this.#groups) {
      // That a kind of clients is refused is worth knowing when the next of them comes.
      const emptyMs = group.denied === undefined ? now - (group.emptySince ?? now) : 0;
      if (emptyMs <= keepGroupMs) continue;
      this.#groups.delete(name);
      group.close();
    }
  }
}
