/** When a master has refused no write for so long, the next refusal is of another cause and waited for anew, ms. */
const forgottenMs = 2000;

const monotonicMs = (): number => performance.now();

/**
 * A master that takes no writes: its replicas are missing, or its disk is full. It is waited for as long as one that is missing;
 * after that its refusals are the clients' to know.
 */
export class WriteRefusals {
  readonly #now: () => number;
  /** The first refusal, and the last one. */
  #since = Number.NEGATIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;

  /** @param now ms of the monotonic clock. */
  constructor(now = monotonicMs) {
    this.#now = now;
  }

  /** It has refused writes lately. */
  get recent(): boolean {
    return this.#now() - this.#last <= forgottenMs;
  }

  /** Takes note of a refusal; gives whether it is waited for. @param patienceMs how long, from the first one on. */
  refused(patienceMs: number): boolean {
    const now = this.#now();
    if (!this.recent) this.#since = now;
    this.#last = now;
    return now - this.#since < patienceMs;
  }

  /** There is another master. */
  forget(): void {
    this.#since = this.#last = Number.NEGATIVE_INFINITY;
  }
}
