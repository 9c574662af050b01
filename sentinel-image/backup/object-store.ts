import { UserError } from "../../runtime/user-error.ts";

export interface StoreOptions {
  /** Ends the operation; it rejects with the signal's reason. What was written so far isn't there afterwards. */
  readonly signal?: AbortSignal;
}

export interface StoredObject {
  readonly key: string;
  readonly bytes: number;
  /** When it was completed, by the store's clock. */
  readonly modifiedMs: number;
}

/**
 * Where backups are kept: a bucket, or a directory. All failures reject with a `StoreError`: one sentence, and its kind.
 *
 * Keys are relative paths of `[A-Za-z0-9._-]` and `/` below the destination; no part begins with a dot.
 */
export interface ObjectStore {
  /** Writes an object. It is whole or absent, whatever happens; one that had this key is replaced at that moment. An error of `body` is passed on. */
  put(key: string, body: AsyncIterable<Uint8Array>, options?: StoreOptions): Promise<{ bytes: number }>;
  /** Reads an object from its begin to its end, or throws: never less, never of two versions. */
  get(key: string, options?: StoreOptions): AsyncIterable<Uint8Array>;
  /** All whole objects whose keys begin with `prefix`, in no order: not every store keeps one. */
  list(prefix: string): AsyncIterable<StoredObject>;
  /** Removes an object; one that isn't there is no error. */
  remove(key: string): Promise<void>;
  /** Removes what `put` left behind when its process was killed, and what has lain untouched for `olderThanMs`. @returns how many. */
  removeUnfinished?(olderThanMs: number): Promise<number>;
}

/** @throws {UserError} for a key that a store doesn't take: one rule for all, so that no backup depends on where it lies. */
export function checkKey(key: string): void {
  if (
    key.length <= maxKeyLength &&
    /^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/.test(key)
  )
    return;
  throw new UserError(
    `'${key}' is no key of a backup's object: up to ${maxKeyLength} letters, digits, '.', '_', '-' and '/', no part empty or beginning with a dot.`,
  );
}

/** Leaves room for the prefix in S3's 1024 bytes. */
const maxKeyLength = 512;
