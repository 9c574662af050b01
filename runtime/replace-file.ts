import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Replaces a file in one step: whoever reads it, also after a power cut, finds the old text or the new one, whole.
 *
 * @throws {Error} when the directory can't be written or is full; the old file is then untouched.
 */
export function replaceFile(path: string, text: string, mode = 0o600): void {
  const temporary = `${path}.tmp`;
  // One that a crash left behind may have another mode.
  rmSync(temporary, { force: true });
  const file = openSync(temporary, "wx", mode);
  try {
    // Writes on until everything is there: on a disk that fills up, one call may write a part only.
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  const directory = openSync(dirname(path), "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
