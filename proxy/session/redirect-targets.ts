/** Somebody whose invalidations go to another client's connection. */
export interface RedirectFollower {
  /** The target has another id now, or has left. */
  targetChanged(target: RedirectTarget): void;
}

/** So many ids that a client was told are known: one for each failover since, as long as somebody may still use them. */
const mostIds = 8;

/** A client that knows its `CLIENT ID`, so that others can name it. */
export class RedirectTarget {
  /** Its present one on the server; undefined: its connection is lost, and will be there again. */
  id: number | undefined;
  /** It has left, and never comes back. */
  ended = false;
  readonly followers = new Set<RedirectFollower>();
  /** Those that it had. */
  readonly ids: number[] = [];
  /** Tells it that everything that is cached may be wrong. */
  readonly tellAll: () => void;
  /** Has it get a connection. */
  readonly revive: () => void;

  constructor(actions: Pick<RedirectTarget, "tellAll" | "revive">) {
    this.tellAll = actions.tellAll;
    this.revive = actions.revive;
  }
}

/** Whom the ids mean that clients of this process were told: a server that takes over gives all of them others. */
export class RedirectTargets {
  readonly #byId = new Map<number, RedirectTarget>();

  find(id: number): RedirectTarget | undefined {
    return this.#byId.get(id);
  }

  /** The target has this id from now on. */
  named(target: RedirectTarget, id: number): void {
    if (target.id === id) return;
    target.id = id;
    target.ids.push(id);
    this.#byId.set(id, target);
    const old = target.ids.length > mostIds ? target.ids.shift() : undefined;
    if (old !== undefined && this.#byId.get(old) === target) this.#byId.delete(old);
    for (const follower of [...target.followers]) follower.targetChanged(target);
  }

  /** The target has left. */
  forget(target: RedirectTarget): void {
    target.ended = true;
    for (const id of target.ids) if (this.#byId.get(id) === target) this.#byId.delete(id);
    for (const follower of [...target.followers]) follower.targetChanged(target);
  }
}
