import type { ObjectStore, StoreOptions } from "../../../sentinel-image/backup/object-store.ts";
import { describeBytes } from "./describe-backups.ts";

/** A store that tells how much was read of it. */
export function watchReading(store: ObjectStore, onBytes: (bytes: number) => void): ObjectStore {
  return {
    put: (key, body, options) => store.put(key, body, options),
    list: (prefix) => store.list(prefix),
    remove: (key) => store.remove(key),
    async *get(key: string, options?: StoreOptions) {
      for await (const piece of store.get(key, options)) {
        onBytes(piece.byteLength);
        yield piece;
      }
    },
  };
}

/** Tells every few seconds how far something is, of so many bytes in all. */
export class ReadingProgress {
  readonly #total: number;
  readonly #tell: (line: string) => void;
  #bytes = 0;
  #toldAt = performance.now();

  constructor(total: number, tell: (line: string) => void) {
    this.#total = total;
    this.#tell = tell;
  }

  readonly add = (bytes: number): void => {
    this.#bytes += bytes;
    if (performance.now() - this.#toldAt < everyMs) return;
    this.#toldAt = performance.now();
    const percent = this.#total === 0 ? 100 : Math.floor((100 * this.#bytes) / this.#total);
    this.#tell(`${describeBytes(this.#bytes)} of ${describeBytes(this.#total)} read (${percent} %)`);
  };
}

const everyMs = 2000;
