import { execFile } from "node:child_process";
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { UserError } from "../../runtime/user-error.ts";
import { hasStoredData } from "../start/stored-data.ts";
import { appendOnlyDirectory, appendOnlyList, baseFile, listOfBase } from "./append-only-names.ts";
import type { Cipher } from "./cipher.ts";
import { bytesOf, type Manifest } from "./manifest.ts";
import type { ObjectStore } from "./object-store.ts";
import { readBackup } from "./read-backup.ts";

export interface RestoreOptions {
  readonly store: ObjectStore;
  readonly manifest: Manifest;
  readonly cipher: Cipher;
  /** Of a server that doesn't run. */
  readonly dataDirectory: string;
  /** Path of redis-server, which has to be able to read the backup. */
  readonly program: string;
  readonly signal: AbortSignal;
}

/**
 * Writes a backup where a server finds it at its start: as the base of its append-only file. All is there in one step, or nothing is.
 *
 * @throws {UserError} before anything is written: there are data, no room, or a backup of a newer server. {Error} when the backup is damaged or can't be had.
 */
export async function restoreBackup(options: RestoreOptions): Promise<void> {
  const { store, manifest, cipher, dataDirectory, signal } = options;
  await refuseNewer(options);
  const target = join(dataDirectory, appendOnlyDirectory);
  if (hasStoredData(dataDirectory))
    throw new UserError(
      `${dataDirectory} has data: a backup is only restored where there are none. Nothing was changed.`,
    );
  refuseWithoutRoom(dataDirectory, manifest);
  const unfinished = join(dataDirectory, `${appendOnlyDirectory}.restoring`);
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true, mode: 0o700 });
  try {
    const file = join(unfinished, baseFile);
    await pipeline(readBackup(store, manifest, cipher, signal), createWriteStream(file, { mode: 0o600 }), {
      signal,
    });
    writeFileSync(join(unfinished, appendOnlyList), listOfBase, { mode: 0o600 });
    for (const name of [baseFile, appendOnlyList, "."]) await sync(join(unfinished, name));
    // Of a server that ran and never had a key.
    if (existsSync(target)) rmSync(target, { recursive: true });
    renameSync(unfinished, target);
    await sync(dataDirectory);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    throw error;
  }
}

/** A server reads what older ones wrote, and refuses what newer ones did, when it is too late to choose. */
async function refuseNewer({ manifest: { id, server }, program }: RestoreOptions): Promise<void> {
  const { stdout } = await promisify(execFile)(program, ["--version"], { timeout: 5000 });
  const own = /^(Redis|Valkey) server v=(\d+)\.(\d+)/.exec(stdout);
  const name = own?.[1]?.toLowerCase();
  const [major = 0, minor = 0] = server.version.split(".").map(Number);
  const [ownMajor, ownMinor] = [Number(own?.[2]), Number(own?.[3])];
  if (name !== server.name || major < ownMajor || (major === ownMajor && minor <= ownMinor)) return;
  throw new UserError(
    `Backup ${id} was made by ${server.name} ${server.version}, and this is ${name} ${ownMajor}.${ownMinor}, which may not be able to read it: use ${major}.${minor} or newer. Nothing was changed.`,
  );
}

function refuseWithoutRoom(directory: string, manifest: Manifest): void {
  const { id } = manifest;
  const needed = bytesOf(manifest);
  const { bavail, bsize } = statfsSync(directory);
  if (bavail * bsize > needed) return;
  const inMiB = (bytes: number): number => Math.ceil(bytes / 2 ** 20);
  throw new UserError(
    `Backup ${id} takes ${inMiB(needed)} MiB, and ${directory} has ${inMiB(bavail * bsize)} MiB left: raise redis:storage. Nothing was changed.`,
  );
}

async function sync(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
