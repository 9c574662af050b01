/** Lets so much through in a second, and no more than that at once. */
export class RateLimit {
  readonly #perSecond: number;
  #tokens: number;
  #refilledAt = performance.now();

  /** @param perSecond units; `Infinity`: no limit. */
  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#tokens = perSecond;
  }

  /** Resolves when so many units may be used; the bill for a big amount is paid by those who come next. */
  async take(units: number, signal: AbortSignal): Promise<void> {
    if (this.#perSecond === Number.POSITIVE_INFINITY) return;
    this.#refill();
    while (this.#tokens <= 0 && !signal.aborted) {
      const waitMs = Math.max((-this.#tokens / this.#perSecond) * 1000, 5);
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      this.#refill();
    }
    this.#tokens -= units;
  }

  #refill(): void {
    const now = performance.now();
    const earned = ((now - this.#refilledAt) / 1000) * this.#perSecond;
    this.#tokens = Math.min(this.#tokens + earned, this.#perSecond);
    this.#refilledAt = now;
  }
}
