/** What one client hasn't read yet. */
export interface UnreadOutput {
  /** Bytes that its socket still has to send. */
  readonly unread: number;
  /** When it has read something last, ms of the monotonic clock. */
  readonly movedAt: number;
  /** Ends its connection at once. */
  drop(): void;
}

/** Bounds of what clients haven't read yet, bytes. */
export interface OutputLimits {
  /** One client: above it, or above its share, its commands wait. */
  readonly pauseAtOutput: number;
  /** All clients: above it some are dropped. */
  readonly unreadBytesInAll: number;
}

/** So far below the limit is gone before it is enough: not every further byte is to cost another look at all. */
const relief = 0.9;
/** Who has read nothing for so long, ms, is dropped before those who read. */
const stalledMs = 5000;
/** A client's share never falls below this: one round of replies. */
const leastShare = 64 * 1024;

const monotonicMs = (): number => performance.now();

/**
 * The replies that all clients together haven't read. When there are too many, those that don't read at all are dropped first, then
 * those with the most.
 */
export class OutputBudget {
  /** Unread bytes from which on a client's commands wait: the more clients don't read, the fewer each may leave. */
  share: number;
  readonly #limits: OutputLimits;
  readonly #now: () => number;
  readonly #unread = new Map<UnreadOutput, number>();
  #total = 0;

  /** @param now ms of the monotonic clock. */
  constructor(limits: OutputLimits, now = monotonicMs) {
    this.#limits = limits;
    this.#now = now;
    this.share = limits.pauseAtOutput;
  }

  /** Takes note of a client's output after it has changed. */
  note(output: UnreadOutput): void {
    const { unread } = output;
    this.#total += unread - (this.#unread.get(output) ?? 0);
    if (unread === 0) this.#unread.delete(output);
    else this.#unread.set(output, unread);
    this.#divide();
    if (this.#total > this.#limits.unreadBytesInAll) this.#relieve();
  }

  /** Its connection is closed. */
  forget(output: UnreadOutput): void {
    this.#total -= this.#unread.get(output) ?? 0;
    this.#unread.delete(output);
    this.#divide();
  }

  /** Half of all is for replies that come although their client's commands wait already. */
  #divide(): void {
    const { pauseAtOutput, unreadBytesInAll } = this.#limits;
    const equal = unreadBytesInAll / 2 / Math.max(this.#unread.size, 1);
    this.share = Math.max(Math.min(pauseAtOutput, equal), leastShare);
  }

  #relieve(): void {
    const limit = this.#limits.unreadBytesInAll;
    const now = this.#now();
    // Much may have been read since it was noted.
    const sizes = [...this.#unread.keys()].map((output) => ({
      output,
      unread: output.unread,
      stalled: now - output.movedAt >= stalledMs,
    }));
    this.#total = sizes.reduce((sum, { unread }) => sum + unread, 0);
    for (const { output, unread } of sizes) this.#unread.set(output, unread);
    if (this.#total <= limit) return;
    const worstFirst = sizes.toSorted((a, b) => Number(b.stalled) - Number(a.stalled) || b.unread - a.unread);
    for (const { output } of worstFirst) {
      if (this.#total <= limit * relief) return;
      this.forget(output);
      output.drop();
    }
  }
}
