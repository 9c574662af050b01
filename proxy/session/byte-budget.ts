/** A client that can be told to send on. */
export interface Reader {
  /** There may be room again. Gives whether it reads now; if not although it wants to, it has asked again. */
  mayRead(): boolean;
}

/** So many clients may always complete a command that has begun: else all could wait for each other. */
const alwaysReading = 4;
/** Those that go on in one turn of the event loop: what each of them reads is counted before the next ones follow. */
const admittedPerTurn = 16;

/** The bytes of all clients that wait in memory, and who may send more of them. */
export class ByteBudget {
  total = 0;
  readonly #limit: number;
  /** Those that complete a command although the budget is used up. */
  readonly #exempt = new Set<Reader>();
  readonly #waiting = new Set<Reader>();
  #admitting = false;
  /** Room was made while those were asked who waited before. */
  #moreRoom = false;

  /** @param limit bytes of all clients together. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Whether a client may send more; if not, it is told when it may.
   *
   * @param completes it sends a command that goes on as soon as it is complete.
   */
  mayGrow(reader: Reader, completes: boolean): boolean {
    const full = this.total >= this.#limit;
    if (full && !(completes && (this.#exempt.has(reader) || this.#exempt.size < alwaysReading))) {
      this.#waiting.add(reader);
      return false;
    }
    this.#waiting.delete(reader);
    if (full) this.#exempt.add(reader);
    return true;
  }

  /** Takes note of a client's change. @param done it has nothing in memory any more. */
  change(reader: Reader, bytes: number, done: boolean): void {
    this.total += bytes;
    if (done) {
      this.#exempt.delete(reader);
      this.#waiting.delete(reader);
    }
    if (done || bytes < 0) this.admit();
  }

  get #hasRoom(): boolean {
    return this.total < this.#limit || this.#exempt.size < alwaysReading;
  }

  /** Asks those that wait, in their order, until there is no room any more. To be called when more of them can go on, too. */
  admit(): void {
    this.#moreRoom = this.#admitting;
    if (this.#admitting || this.#waiting.size === 0 || !this.#hasRoom) return;
    this.#admitting = true;
    const waiting = this.#waiting.values().toArray();
    const next = (): void => {
      let admitted = 0;
      while (this.#hasRoom && admitted < admittedPerTurn) {
        const reader = waiting.shift();
        if (reader === undefined) break;
        if (this.#waiting.delete(reader) && reader.mayRead()) admitted++;
      }
      if (waiting.length > 0 && this.#hasRoom) {
        setImmediate(next);
        return;
      }
      this.#admitting = false;
      if (this.#moreRoom) this.admit();
    };
    // Not within the step that has made room.
    setImmediate(next);
  }
}
