import type { Run } from "./run.ts";

/** The runs in flight on one connection, oldest first: a ring that grows. */
export class RunQueue {
  #ring: (Run | undefined)[] = new Array<Run | undefined>(16).fill(undefined);
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(run: Run): void {
    if (this.#length === this.#ring.length) this.#grow();
    this.#ring[(this.#head + this.#length) & (this.#ring.length - 1)] = run;
    this.#length++;
  }

  first(): Run | undefined {
    return this.#ring[this.#head];
  }

  shift(): void {
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.#length--;
  }

  /** Empties it and gives what was in it. */
  takeAll(): Run[] {
    const all: Run[] = [];
    for (let run = this.first(); run !== undefined; run = this.first()) {
      all.push(run);
      this.shift();
    }
    return all;
  }

  #grow(): void {
    const size = this.#ring.length;
    const ring = new Array<Run | undefined>(size * 2).fill(undefined);
    for (let i = 0; i < this.#length; i++) ring[i] = this.#ring[(this.#head + i) & (size - 1)];
    this.#ring = ring;
    this.#head = 0;
  }
}
