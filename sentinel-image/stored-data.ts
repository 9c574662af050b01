import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/**
 * Whether a data directory holds a data set: an RDB file, or an append-only file with more than its empty base.
 * An instance that ran but never had a key or a sync counts as empty: there is nothing to lose.
 */
export function hasStoredData(directory: string): boolean {
  if (sizeOf(join(directory, "dump.rdb")) > emptyRdbBytes) return true;
  const appendOnlyDirectory = join(directory, "appendonlydir");
  let files: string[];
  try {
    files = readdirSync(appendOnlyDirectory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    files = [];
  }
  return files.some((file) => {
    const bytes = sizeOf(join(appendOnlyDirectory, file));
    return (file.endsWith(".base.rdb") && bytes > emptyRdbBytes) || (file.endsWith(".aof") && bytes > 0);
  });
}

/** An RDB file without a key is a header and a few fields: 88 to 110 bytes with Redis 7 and 8. */
const emptyRdbBytes = 128;

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
