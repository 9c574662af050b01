import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { findProgram } from "../../runtime/find-program.ts";

/** What a killed server leaves behind, such as a child that rewrites a file, is given this long to end, s. */
const patienceSeconds = 3;

/**
 * Takes a volume for this process: two servers that write the same files would destroy them. Node knows no `flock`; the
 * program of that name takes the lock on a file that is open here, and the lock lasts as long as anybody has it open: this
 * process, or a server that was given the descriptor and outlives it.
 *
 * @param file the lock file; it is made, and stays. Whoever holds the lock doesn't matter after a crash: the kernel ends it.
 * @returns the file descriptor; closing it ends the lock.
 * @throws {Error} when another process holds it for longer than 3 s, or the file can't be made.
 */
export async function lockVolume(file: string, path: string | undefined): Promise<number> {
  const descriptor = openSync(file, "a", 0o600);
  const child = spawn(findLockProgram(path), ["--exclusive", "--timeout", String(patienceSeconds), "3"], {
    stdio: ["ignore", "ignore", "inherit", descriptor],
  });
  const [code] = (await once(child, "exit")) as [number | null];
  if (code === 0) return descriptor;
  closeSync(descriptor);
  throw new Error(
    `another process uses this volume (it holds the lock ${file}): end it first, since two servers on one volume would destroy the data`,
  );
}

/**
 * The program that takes locks.
 *
 * @throws {Error} when it isn't in PATH.
 */
export function findLockProgram(path: string | undefined): string {
  return findProgram("flock", path, "install util-linux (apt-get install util-linux)");
}
