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
  readonly #grown: (bytes: number) => void;
  /** Those that complete a command although the budget is used up. */
  readonly #exempt = new Set<Reader>();
  readonly #waiting = new Set<Reader>();
  #admitting = false;
  /** Room was made while those were asked who waited before. */
  #moreRoom = false;

  /**
   * @param limit bytes of all clients together.
   * @param grown is told of all that is added.
   */
  constructor(limit: number, grown: (bytes: number) => void = () => undefined) {
    this.#limit = limit;
    this.#grown = grown;
  }

  /** There is no room for more. */
  get full(): boolean {
    return this.total >= this.#limit;
  }

  /**
   * Whether a client may send more; if not, it is told when it may.
   *
   * @param completes it sends a command that goes on as soon as it is complete.
   */
  mayGrow(reader: Reader, completes: boolean): boolean {
    const { full } = this;
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
    if (bytes > 0) this.#grown(bytes);
    if (done) {
      this.#exempt.delete(reader);
      this.#waiting.delete(reader);
    }
    if (done || bytes < 0) this.admit();
  }

  /** Whether a reader could go on if it wants to complete a command. */
  #hasRoomFor(reader: Reader | undefined): boolean {
    if (reader === undefined) return false;
    return !this.full || this.#exempt.has(reader) || this.#exempt.size < alwaysReading;
  }

  /** Asks those that wait, in their order, until there is no room any more. To be called when more of them can go on, too. */
  admit(): void {
    this.#moreRoom = this.#admitting;
    if (this.#admitting || this.#waiting.size === 0) return;
    // An exempt one may have been stopped in the middle, and nobody else is exempt before it is through.
    const isExempt = (reader: Reader): boolean => this.#exempt.has(reader);
    const [first, then] = [this.#waiting.values().filter(isExempt), this.#waiting.values()];
    const waiting = [...new Set([...first, ...then])];
    if (!this.#hasRoomFor(waiting[0])) return;
    this.#admitting = true;
    const next = (): void => {
      let admitted = 0;
      while (admitted < admittedPerTurn && this.#hasRoomFor(waiting[0])) {
        const reader = waiting.shift();
        if (reader !== undefined && this.#waiting.delete(reader) && reader.mayRead()) admitted++;
      }
      if (this.#hasRoomFor(waiting[0])) {
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
