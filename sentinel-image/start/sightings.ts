/**
 * Between two looks, ms. After a longer one, a pause of the machine above all, nobody knows whether it was so all the time. Not much shorter, or
 * nothing would ever last on a machine that is busy beyond measure.
 */
const longestGapMs = 5000;

/**
 * Since when something is seen, look after look. In time and not in looks: with a frozen Sentinel, or on a busy machine, a look takes longer,
 * and nothing that is to happen after a second may take five then.
 */
export class Sightings {
  #since: ReadonlyMap<string, number> = new Map();
  #lookedMs = Number.NEGATIVE_INFINITY;

  /**
   * One look: everything that is so now. What isn't among it begins anew when it is seen again.
   *
   * @param nowMs of a clock that never goes back.
   */
  look(seen: readonly string[], nowMs: number): void {
    const goesOn = nowMs - this.#lookedMs <= longestGapMs;
    this.#since = new Map(
      seen.map((what) => [what, goesOn ? (this.#since.get(what) ?? nowMs) : nowMs] as const),
    );
    this.#lookedMs = nowMs;
  }

  /** Since when it is so, by the clock of {@link look}; undefined: it isn't. */
  sinceMs(what: string): number | undefined {
    return this.#since.get(what);
  }
}
