import { afterSocketsWereRead } from "../../runtime/after-sockets-were-read.ts";
import type { Waiter } from "./upstream-group.ts";

/** Those who go on in one turn of the event loop: a new master is not flooded, and the loop goes on. */
const wakePerTurn = 256;

/** Clients that wait for a master. */
export class WaitingRoom {
  readonly #waiting = new Set<Waiter>();

  get size(): number {
    return this.#waiting.size;
  }

  add(waiter: Waiter): void {
    this.#waiting.add(waiter);
  }

  forget(waiter: Waiter): void {
    this.#waiting.delete(waiter);
  }

  /** They go on in the order in which they came, in this turn's end and those after it. @param still as long as this says so; the others wait on. */
  wake(still: () => boolean): void {
    const next = (): void => {
      let count = 0;
      for (const waiter of this.#waiting) {
        if (!still()) return;
        this.#waiting.delete(waiter);
        waiter.wake();
        if (++count === wakePerTurn) break;
      }
      if (this.#waiting.size > 0 && count > 0) afterSocketsWereRead(next);
    };
    if (this.#waiting.size > 0) afterSocketsWereRead(next);
  }
}
