import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { ExecaError, execa } from "execa";
import { UserError } from "../../../runtime/user-error.ts";

/** Some ten MiB are packed in a second. */
const withinMs = 60_000;

/** Refuses before anything is collected. @throws {UserError} when the archive couldn't be written. */
export function refuseOutput(file: string): void {
  if (!file.endsWith(".tar.gz")) throw new UserError(`${file}: the name of the archive ends in .tar.gz.`);
  if (existsSync(file)) throw new UserError(`${file} exists: name another one with --out.`);
  if (!existsSync(dirname(resolve(file))))
    throw new UserError(`There is no directory ${dirname(resolve(file))}.`);
}

/**
 * Packs files into a `.tar.gz` that only this user may read; all are in one folder with the archive's name.
 *
 * @throws {UserError} when that can't be done; no archive is left then.
 */
export async function writeArchive(
  file: string,
  files: readonly { readonly path: string; readonly text: string }[],
): Promise<void> {
  const folder = basename(file, ".tar.gz");
  const directory = mkdtempSync(join(tmpdir(), "redis-ha-report-"));
  try {
    for (const { path, text } of files) {
      const target = join(directory, folder, path);
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, text);
    }
    // Before anything is in it. Never over a file that somebody has made meanwhile.
    closeSync(openSync(file, "wx", 0o600));
    await execa("tar", ["-czf", resolve(file), "-C", directory, folder], { timeout: withinMs });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== "EEXIST") rmSync(file, { force: true });
    if (error instanceof ExecaError) throw new UserError(`tar: ${error.stderr || error.shortMessage}`);
    if (code !== undefined)
      throw new UserError(`${file} can't be written (${code}): name another one with --out.`);
    throw error;
  } finally {
    rmSync(directory, { recursive: true });
  }
}
