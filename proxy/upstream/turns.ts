import type { Waiter } from "./upstream-group.ts";

/** One at a time, in the order in which they came. */
export class Turns {
  readonly #waiting = new Set<Waiter>();
  #holder: Waiter | undefined;

  /** Whether it is this one's turn; if not, it is woken then. */
  enter(waiter: Waiter): boolean {
    this.#holder ??= waiter;
    if (this.#holder === waiter) return true;
    this.#waiting.add(waiter);
    return false;
  }

  /** It needs no turn any more, whether it had one or not. */
  leave(waiter: Waiter): void {
    this.#waiting.delete(waiter);
    if (this.#holder !== waiter) return;
    const [next] = this.#waiting;
    this.#holder = next;
    if (next === undefined) return;
    this.#waiting.delete(next);
    queueMicrotask(() => next.wake());
  }
}
