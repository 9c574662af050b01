import { createWriteStream, existsSync, linkSync, mkdirSync, readdirSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { replaceFile } from "../../../runtime/replace-file.ts";
import { UserError } from "../../../runtime/user-error.ts";
import {
  appendOnlyDirectory,
  appendOnlyList,
  baseFile,
  listOfBase,
} from "../../../sentinel-image/backup/append-only-names.ts";
import type { Cipher } from "../../../sentinel-image/backup/cipher.ts";
import { bytesOf, type Manifest } from "../../../sentinel-image/backup/manifest.ts";
import type { ObjectStore } from "../../../sentinel-image/backup/object-store.ts";
import { readBackup } from "../../../sentinel-image/backup/read-backup.ts";
import { describeBytes } from "./describe-backups.ts";

interface RestoreOptions {
  readonly store: ObjectStore;
  readonly manifest: Manifest;
  readonly cipher: Cipher;
  /** A directory without data; made when it isn't there. */
  readonly directory: string;
  readonly signal: AbortSignal;
}

/** A server with `appendonly yes` reads nothing but its append-only directory, one without only this file. */
const dumpFile = "dump.rdb";
const unfinishedFile = "restoring.rdb";

/**
 * Writes a backup as the data of a redis-server, with `appendonly yes` or without.
 *
 * Only when all of it was read, and is what was stored, does it get a name that a server reads.
 *
 * @throws {UserError} when the directory holds data already, or has no room; {Error} when the backup is no good. Nothing of it is left then.
 */
export async function restoreToDirectory(options: RestoreOptions): Promise<void> {
  const { store, manifest, cipher, directory, signal } = options;
  refuseData(directory);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  refuseNarrow(directory, manifest);
  const unfinished = join(directory, unfinishedFile);
  try {
    await pipeline(
      Readable.from(readBackup(store, manifest, cipher, signal), { objectMode: false }),
      createWriteStream(unfinished, { mode: 0o600, flush: true }),
    );
    // One file with two names: neither server changes it, they replace it.
    mkdirSync(join(directory, appendOnlyDirectory), { mode: 0o700 });
    linkSync(unfinished, join(directory, appendOnlyDirectory, baseFile));
    linkSync(unfinished, join(directory, dumpFile));
    // The list comes last: without it the directory is no append-only file.
    replaceFile(join(directory, appendOnlyDirectory, appendOnlyList), listOfBase);
    rmSync(unfinished);
  } catch (error) {
    for (const name of [unfinishedFile, dumpFile, appendOnlyDirectory])
      rmSync(join(directory, name), { recursive: true, force: true });
    throw error;
  }
}

/** @throws {UserError} when there is anything in it. */
export function refuseData(directory: string): void {
  if (!existsSync(directory)) return;
  const [found] = readdirSync(directory);
  if (found === undefined) return;
  throw new UserError(
    `${directory} isn't empty (${found}): name a directory that isn't there yet. Nothing was changed.`,
  );
}

function refuseNarrow(directory: string, manifest: Manifest): void {
  const needed = bytesOf(manifest);
  const { bavail, bsize } = statfsSync(directory);
  if (bavail * bsize >= needed) return;
  throw new UserError(
    `${directory} has room for ${describeBytes(bavail * bsize)}, the backup has ${describeBytes(needed)}: name a directory on another disk.`,
  );
}
