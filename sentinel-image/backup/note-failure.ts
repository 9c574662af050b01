import type { ObjectStore } from "./object-store.ts";
import { StoreError } from "./store-error.ts";

/** A store that is read, and what kept it from being read: nothing of that is a backup's fault. A missing object is. */
export function noteFailure(store: ObjectStore): {
  readonly store: ObjectStore;
  readonly failure: () => StoreError | undefined;
} {
  let failure: StoreError | undefined;
  const noting: ObjectStore = {
    put: (key, body, options) => store.put(key, body, options),
    list: (prefix) => store.list(prefix),
    remove: (key) => store.remove(key),
    async *get(key, options) {
      try {
        yield* store.get(key, options);
      } catch (error) {
        if (error instanceof StoreError && error.fault !== "no-object") failure = error;
        throw error;
      }
    },
  };
  return { store: noting, failure: () => failure };
}
