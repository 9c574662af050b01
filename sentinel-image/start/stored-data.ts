import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { isEmptyRdb } from "./rdb-content.ts";

/**
 * Whether a data directory holds a data set: an RDB file with a key, or an append-only file with more than its empty base.
 * An instance that ran but never had a key or a sync counts as empty: there is nothing to lose.
 */
export function hasStoredData(directory: string): boolean {
  if (holdsData(join(directory, "dump.rdb"))) return true;
  const appendOnlyDirectory = join(directory, "appendonlydir");
  let files: string[];
  try {
    files = readdirSync(appendOnlyDirectory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    files = [];
  }
  return files.some((file) => /\.(rdb|aof)$/.test(file) && holdsData(join(appendOnlyDirectory, file)));
}

/** More than an RDB file's fields about the server. */
const headBytes = 4096;

function holdsData(file: string): boolean {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  return size > 0 && !(file.endsWith(".rdb") && isEmptyRdb(readHead(file)));
}

function readHead(file: string): Buffer {
  const descriptor = openSync(file, "r");
  try {
    const head = Buffer.alloc(headBytes);
    return head.subarray(0, readSync(descriptor, head));
  } finally {
    closeSync(descriptor);
  }
}
