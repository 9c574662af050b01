/** How long clients have been held, and for how long they are. */
export class HoldTime {
  readonly #limitMs: number;
  readonly #exceeded: () => void;
  #since = performance.now();
  #deadline: NodeJS.Timeout | undefined;

  /** @param limitMs so long, @param exceeded and then this. */
  constructor(limitMs: number, exceeded: () => void) {
    this.#limitMs = limitMs;
    this.#exceeded = exceeded;
  }

  /** They are held from now on. A limit that runs or was exceeded isn't set again before {@link end}. */
  begin(): void {
    this.#since = performance.now();
    this.#deadline ??= setTimeout(this.#exceeded, this.#limitMs);
  }

  /** They aren't any more. @returns seconds for which they were. */
  end(): number {
    this.stop();
    return (performance.now() - this.#since) / 1000;
  }

  stop(): void {
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
  }
}
