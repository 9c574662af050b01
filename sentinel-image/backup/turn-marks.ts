import { once } from "./manifest.ts";
import type { ObjectStore } from "./object-store.ts";

const folder = "in-progress/";
const refreshMs = 30_000;
/** A mark that hasn't changed for so long is of an instance that died. */
const staleMs = 100_000;

/** Says in the store that a backup is being made, so that no other instance begins one. */
export class TurnMarks {
  readonly #own: string;
  /** Since when another one's mark has been as it is, by this machine's clock: the store's may differ. */
  readonly #seen = new Map<string, { readonly modifiedMs: number; readonly sinceMs: number }>();

  /** @param instance name of this one. */
  constructor(instance: string) {
    this.#own = `${folder}${instance}`;
  }

  /** Whether another instance is at it. */
  async othersAtIt(store: ObjectStore): Promise<boolean> {
    const nowMs = performance.now();
    let busy = false;
    for await (const { key, modifiedMs } of store.list(folder)) {
      if (key === this.#own) continue;
      const seen = this.#seen.get(key);
      const kept = seen?.modifiedMs === modifiedMs ? seen : { modifiedMs, sinceMs: nowMs };
      this.#seen.set(key, kept);
      if (nowMs - kept.sinceMs < staleMs) busy = true;
    }
    return busy;
  }

  /** Does something with the mark in place. A mark that can't be written is no reason not to do it. */
  async during<T>(store: ObjectStore, work: () => Promise<T>): Promise<T> {
    const mark = async (): Promise<void> => {
      await store.put(this.#own, once(Buffer.from(new Date().toISOString()))).catch(() => undefined);
    };
    await mark();
    const timer = setInterval(() => void mark(), refreshMs);
    try {
      return await work();
    } finally {
      clearInterval(timer);
      await store.remove(this.#own).catch(() => undefined);
    }
  }
}
