import type { KnownSentinel } from "../../quorum/ask-failover.ts";
import { type Address, formatAddress, sameAddress } from "../../runtime/address.ts";

// A Sentinel never forgets an instance or another Sentinel by itself. After a scale-down the removed ones stay among those whose
// majority has to elect a leader, and among the replicas that it counts.

/** Whom one Sentinel knows. */
export interface Acquaintances {
  readonly sentinel: Address;
  readonly sentinels: readonly KnownSentinel[];
  readonly replicas: readonly Address[];
}

/** What {@link GhostFinder} looks at in one round. */
export interface GhostObservation {
  /** Of all Sentinels that answer. */
  readonly known: readonly Acquaintances[];
  /** Replicas that are connected to the agreed master. */
  readonly attached: readonly Address[];
  /** A monotonic clock, ms. */
  readonly nowMs: number;
  /** This instance is the master, and no Sentinel sees any trouble. */
  readonly mayAct: boolean;
}

/** A removed Sentinel says hello every 500 ms as long as it lives, 2000 with the built-in period. */
const goneAfterMs = 1500;

/** A hello is asked for every 500 ms; below that, two answers tell of the same one. */
const newHelloMs = 200;

/** One that was only read from a Sentinel's file looks for a moment as if it had just been heard, after each of that one's starts. */
const hellosOfTheLiving = 3;

/** A Sentinel that still knows ghosts after so many attempts is left alone. */
const maxAttempts = 3;

/**
 * Finds the Sentinel that should be made to forget hosts that are not configured, and gone. A host that this process has never seen alive
 * may be one that is still to come: in a scale-up the Sentinels know of it first, while the instances still run with the old list.
 */
export class GhostFinder {
  readonly #sentinels: readonly Address[];
  readonly #instances: readonly Address[];
  readonly #seenAlive = new Map<string, number>();
  /** When which Sentinel had heard which other one last, and how often that was new. */
  readonly #hellos = new Map<string, { readonly atMs: number; readonly count: number }>();
  readonly #attempts = new Map<string, number>();

  /** All configured Sentinels and instances. */
  constructor(sentinels: readonly Address[], instances: readonly Address[]) {
    this.#sentinels = sentinels;
    this.#instances = instances;
  }

  /**
   * One round.
   *
   * @returns the Sentinel that may forget everybody now: all that it would lose comes back at once, since every configured instance is
   * connected to the master and every other Sentinel is complete. Undefined: none, or not now.
   */
  observe({ known, attached, nowMs, mayAct }: GhostObservation): Address | undefined {
    this.#noteAlive(known, attached, nowMs);
    const absent = this.#instances.filter((instance) => !includes(attached, instance));
    // The master itself is the one that isn't its own replica.
    const allHere = mayAct && known.length === this.#sentinels.length && absent.length <= 1;
    let chosen: Address | undefined;
    for (const one of known) {
      const ghosts = this.ghostsOf(one);
      const name = formatAddress(one.sentinel);
      if (ghosts.length === 0) this.#attempts.delete(name);
      const hopeful = ghosts.length > 0 && ghosts.every((ghost) => this.#isGone(ghost, nowMs));
      const othersComplete = known.every((other) => other === one || this.#isComplete(other));
      if (!hopeful || !allHere || !othersComplete || (this.#attempts.get(name) ?? 0) >= maxAttempts) continue;
      chosen ??= one.sentinel;
    }
    if (chosen !== undefined) {
      const name = formatAddress(chosen);
      this.#attempts.set(name, (this.#attempts.get(name) ?? 0) + 1);
    }
    return chosen;
  }

  /** Those whom a Sentinel knows although they aren't configured. */
  ghostsOf({ sentinels, replicas }: Acquaintances): (Address | KnownSentinel)[] {
    return [
      ...sentinels.filter((sentinel) => !includes(this.#sentinels, sentinel)),
      ...replicas.filter((replica) => !includes(this.#instances, replica)),
    ];
  }

  #isComplete({ sentinel, sentinels, replicas }: Acquaintances): boolean {
    const others = this.#sentinels.filter((other) => !sameAddress(other, sentinel));
    const missing = this.#instances.filter((instance) => !includes(replicas, instance));
    return others.every((other) => includes(sentinels, other)) && missing.length <= 1;
  }

  #isGone(host: Address | KnownSentinel, nowMs: number): boolean {
    const aliveMs = this.#seenAlive.get(nameOf(host));
    return aliveMs !== undefined && nowMs - aliveMs > goneAfterMs;
  }

  #noteAlive(known: readonly Acquaintances[], attached: readonly Address[], nowMs: number): void {
    for (const replica of attached) this.#seenAlive.set(formatAddress(replica), nowMs);
    for (const { sentinel, sentinels } of known) {
      for (const other of sentinels.filter(({ helloMs }) => Number.isFinite(helloMs))) {
        const pair = `${formatAddress(sentinel)} ${nameOf(other)}`;
        const atMs = nowMs - other.helloMs;
        const last = this.#hellos.get(pair) ?? { atMs, count: 0 };
        if (atMs < last.atMs + newHelloMs) {
          this.#hellos.set(pair, last);
          continue;
        }
        const count = last.count + 1;
        this.#hellos.set(pair, { atMs, count });
        if (count >= hellosOfTheLiving) this.#seenAlive.set(nameOf(other), atMs);
      }
    }
  }
}

/**
 * A Sentinel by its ID: of several whose names can't be looked up all but one have port 0, each in its turn, since they seem to have the
 * same address (`sentinel.c`).
 */
function nameOf(host: Address | KnownSentinel): string {
  return "id" in host ? host.id : formatAddress(host);
}

function includes(list: readonly Address[], address: Address): boolean {
  return list.some((item) => sameAddress(item, address));
}
