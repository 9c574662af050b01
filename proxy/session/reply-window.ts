import type { Lane } from "../upstream/upstream-group.ts";

/** Commands in flight of a client whose first reply hasn't come: others would wait for all that is asked here, and nobody knows a reply's size before it comes. */
const firstOutstanding = 1;
/** Those of a client whose replies are small: more wait until some of these are answered. */
const manyOutstanding = 1024;
/** Those of a client whose replies are big. */
const fewOutstanding = 4;
/** A reply of so many bytes is big: others behind it wait longer than for a whole pipeline of small ones. */
const bigReplyBytes = 64 * 2 ** 10;
/** So many bytes of replies may be on their way to one client: it may be one that doesn't read them. */
const windowBytes = 4 * 2 ** 20;
/** After its last big reply a client counts as one of the others again, ms: each change waits for everything in flight. */
const bigForMs = 5000;

const monotonicMs = (): number => performance.now();

/** How far a client's commands may go ahead of its replies, and beside whom: most clients stay what they are. */
export class ReplyWindow {
  readonly #now: () => number;
  #size = firstOutstanding;
  #bigAt: number | undefined;

  /** @param now ms of the monotonic clock. */
  constructor(now = monotonicMs) {
    this.#now = now;
  }

  /** Commands that may be in flight. */
  get size(): number {
    return this.#size;
  }

  /** The shared connection that the client's commands belong to. */
  get lane(): Lane {
    if (this.#bigAt === undefined) return "small";
    if (this.#now() - this.#bigAt < bigForMs) return "big";
    this.#bigAt = undefined;
    return "small";
  }

  /** So many replies have come, of so many bytes together. */
  saw(bytes: number, count: number): void {
    if (bytes >= bigReplyBytes * count) {
      this.#size = fewOutstanding;
      this.#bigAt = this.#now();
    } else if (this.#bigAt === undefined) {
      const few = bytes * manyOutstanding <= windowBytes * count;
      this.#size = few ? manyOutstanding : Math.floor((windowBytes * count) / bytes);
    }
  }
}
