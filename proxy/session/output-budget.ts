/** What one client hasn't read yet. */
export interface UnreadOutput {
  /** Bytes that its socket still has to send. */
  readonly unread: number;
  /** Ends its connection at once. */
  drop(): void;
}

/** So far below the limit is gone before it is enough: not every further byte is to cost another look at all. */
const relief = 0.9;

/** The replies that all clients together haven't read. When there are too many, those with the most are dropped. */
export class OutputBudget {
  readonly #limit: number;
  readonly #unread = new Map<UnreadOutput, number>();
  #total = 0;

  /** @param limit bytes of all clients together. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes note of a client's output after it has changed. */
  note(output: UnreadOutput): void {
    const { unread } = output;
    this.#total += unread - (this.#unread.get(output) ?? 0);
    if (unread === 0) this.#unread.delete(output);
    else this.#unread.set(output, unread);
    if (this.#total > this.#limit) this.#relieve();
  }

  /** Its connection is closed. */
  forget(output: UnreadOutput): void {
    this.#total -= this.#unread.get(output) ?? 0;
    this.#unread.delete(output);
  }

  #relieve(): void {
    // Much may have been read since it was noted.
    const sizes = [...this.#unread.keys()].map((output) => ({ output, unread: output.unread }));
    this.#total = sizes.reduce((sum, { unread }) => sum + unread, 0);
    for (const { output, unread } of sizes) this.#unread.set(output, unread);
    if (this.#total <= this.#limit) return;
    for (const { output } of sizes.toSorted((a, b) => b.unread - a.unread)) {
      if (this.#total <= this.#limit * relief) return;
      this.forget(output);
      output.drop();
    }
  }
}
