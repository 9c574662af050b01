/** A client that can be told to send on. */
export interface Reader {
  /** There may be room again. */
  mayRead(): void;
}

/** So many clients may always complete a command that has begun: else all could wait for each other. */
const alwaysReading = 4;

/** The bytes of all clients that wait in memory, and who may send more of them. */
export class ByteBudget {
  total = 0;
  readonly #limit: number;
  /** Those that complete a command although the budget is used up. */
  readonly #exempt = new Set<Reader>();
  readonly #waiting = new Set<Reader>();

  /** @param limit bytes of all clients together. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Whether a client may send more; if not, it is told when it may.
   *
   * @param completes it sends a command that can go on as soon as it is complete.
   */
  mayGrow(reader: Reader, completes: boolean): boolean {
    const room =
      this.total < this.#limit ||
      (completes && (this.#exempt.has(reader) || this.#exempt.size < alwaysReading));
    if (!room) {
      this.#waiting.add(reader);
      return false;
    }
    this.#waiting.delete(reader);
    if (this.total >= this.#limit) this.#exempt.add(reader);
    return true;
  }

  /** Takes note of a client's change. @param done it has nothing in memory any more. */
  change(reader: Reader, bytes: number, done: boolean): void {
    this.total += bytes;
    if (done) {
      this.#exempt.delete(reader);
      this.#waiting.delete(reader);
    }
    if (!done && bytes >= 0) return;
    const [next] = this.#waiting;
    if (next === undefined) return;
    if (this.total >= this.#limit && this.#exempt.size >= alwaysReading) return;
    this.#waiting.delete(next);
    // Not within the step that has made room.
    setImmediate(() => next.mayRead());
  }
}
