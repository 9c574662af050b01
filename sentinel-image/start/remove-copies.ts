import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

/**
 * Removes the files through which full copies from a master came: an instance that keeps nothing would load one at its start, and take
 * what was true then for its data. The directory may not be there yet.
 */
export function removeCopies(directory: string): void {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  for (const name of names.filter((one) => one.endsWith(".rdb"))) rmSync(join(directory, name));
}
