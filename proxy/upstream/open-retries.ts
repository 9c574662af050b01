/** The shortest and the longest pause between two tries, ms. */
const firstPauseMs = 25;
const longestPauseMs = 500;

const monotonicMs = (): number => performance.now();

/**
 * When a server that takes no new connection is tried again: one try at a time for all who wait, with pauses that grow. As long as none has
 * failed there is no bound.
 */
export class OpenRetries {
  readonly #now: () => number;
  #problem: string | undefined;
  #pauseMs = 0;
  #notBeforeMs = 0;
  #underWay = false;
  #sinceMs = 0;

  /** @param now ms of the monotonic clock. */
  constructor(now = monotonicMs) {
    this.#now = now;
  }

  /** What was found at the last try; undefined: it was fine. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** How long no try was fine, ms. */
  get failingMs(): number {
    return this.#problem === undefined ? 0 : this.#now() - this.#sinceMs;
  }

  /** A try is under way, or the last one was a moment ago: nothing new is known before the next one. */
  get resting(): boolean {
    return this.#problem !== undefined && (this.#underWay || this.#now() < this.#notBeforeMs);
  }

  /** Milliseconds until it is worth to ask {@link begin} again. */
  get waitMs(): number {
    return Math.max(this.#notBeforeMs - this.#now(), firstPauseMs);
  }

  /** Whether a try may begin now; it is to be followed by {@link succeeded}, {@link failed} or {@link undecided}. */
  begin(): boolean {
    if (this.resting) return false;
    this.#underWay = this.#problem !== undefined;
    return true;
  }

  succeeded(): void {
    this.#problem = undefined;
    this.#underWay = false;
    this.#pauseMs = 0;
  }

  failed(problem: string): void {
    const now = this.#now();
    if (this.#problem === undefined) this.#sinceMs = now;
    this.#problem = problem;
    this.#underWay = false;
    // Of several that had begun together only the first makes the pause longer.
    if (now < this.#notBeforeMs) return;
    this.#pauseMs = Math.min(Math.max(this.#pauseMs * 2, firstPauseMs), longestPauseMs);
    this.#notBeforeMs = now + this.#pauseMs;
  }

  /** The try came to nothing for a reason that says nothing about the next one. */
  undecided(): void {
    this.#underWay = false;
  }
}
