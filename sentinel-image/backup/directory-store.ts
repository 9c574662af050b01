import { randomBytes } from "node:crypto";
import type { Dirent } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rename, rm, rmdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { BodySource } from "./body-source.ts";
import { checkKey, type ObjectStore, type StoredObject, type StoreOptions } from "./object-store.ts";
import { StoreError } from "./store-error.ts";

/** Backups as files of a directory: a mounted claim, or a disk of this machine. Each object is a file, each `/` of its key a directory. */
export class DirectoryStore implements ObjectStore {
  readonly #root: string;

  /** @param root an existing directory, absolute. It isn't made: where a mount is missing, backups would land on the wrong disk. */
  constructor(root: string) {
    this.#root = root;
  }

  async put(
    key: string,
    body: AsyncIterable<Uint8Array>,
    { signal }: StoreOptions = {},
  ): Promise<{ bytes: number }> {
    checkKey(key);
    const target = join(this.#root, key);
    const unfinished = join(dirname(target), unfinishedName(basename(target)));
    const source = new BodySource(body);
    try {
      await this.#requireRoot();
      const file = await createBelow(unfinished);
      const bytes = await writeThrough(file, source, signal);
      signal?.throwIfAborted();
      await rename(unfinished, target);
      await this.#syncDirectories(dirname(target));
      return { bytes };
    } catch (error) {
      await rm(unfinished, { force: true }).catch(() => {});
      throw source.failedWith(error) ? error : await this.#explain(error, key);
    }
  }

  async *get(key: string, { signal }: StoreOptions = {}): AsyncIterable<Uint8Array> {
    checkKey(key);
    let file: FileHandle | undefined;
    try {
      await this.#requireRoot();
      file = await open(join(this.#root, key), "r");
      const { size } = await file.stat();
      let done = 0;
      for (;;) {
        signal?.throwIfAborted();
        const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(readBytes), 0, readBytes, null);
        if (bytesRead === 0) break;
        done += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
      if (done !== size)
        throw new StoreError("changed", `${join(this.#root, key)} was changed while it was read: try again.`);
    } catch (error) {
      throw await this.#explain(error, key);
    } finally {
      await file?.close();
    }
  }

  async *list(prefix: string): AsyncIterable<StoredObject> {
    try {
      await this.#requireRoot();
      for await (const { path, key } of this.#walk("", prefix)) {
        if (!isObject(basename(key))) continue;
        const found = await stat(path).catch(orGone);
        if (found !== undefined) yield { key, bytes: found.size, modifiedMs: found.mtimeMs };
      }
    } catch (error) {
      throw await this.#explain(error, prefix);
    }
  }

  async remove(key: string): Promise<void> {
    checkKey(key);
    try {
      await this.#requireRoot();
      const target = join(this.#root, key);
      await rm(target, { force: true });
      await this.#syncDirectories(await this.#removeEmpty(dirname(target)));
    } catch (error) {
      throw await this.#explain(error, key);
    }
  }

  async removeUnfinished(olderThanMs: number): Promise<number> {
    let removed = 0;
    try {
      await this.#requireRoot();
      for await (const { path, key } of this.#walk("", "")) {
        if (!unfinishedPattern.test(basename(key))) continue;
        const found = await stat(path).catch(orGone);
        if (found === undefined || Date.now() - found.mtimeMs < olderThanMs) continue;
        await rm(path, { force: true });
        removed++;
      }
    } catch (error) {
      throw await this.#explain(error, "");
    }
    return removed;
  }

  /** All files whose keys could begin with the prefix, in the order of whole keys: `a-b` comes before `a/b`. */
  async *#walk(folder: string, prefix: string): AsyncIterable<{ path: string; key: string }> {
    const entries = await readdir(join(this.#root, folder), { withFileTypes: true }).catch(orGone);
    for (const entry of (entries ?? []).toSorted(byKey)) {
      const key = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        if (`${key}/`.startsWith(prefix) || prefix.startsWith(`${key}/`)) yield* this.#walk(key, prefix);
      } else if (entry.isFile() && (key.startsWith(prefix) || prefix === "")) {
        yield { path: join(this.#root, key), key };
      }
    }
  }

  async #requireRoot(): Promise<void> {
    const found = await stat(this.#root).catch(orGone);
    if (found?.isDirectory()) return;
    throw new StoreError(
      "no-destination",
      `The directory ${this.#root} for backups isn't there: create it, or mount the volume that it is on.`,
    );
  }

  /** Removes directories that hold nothing any more. @returns the first that stays. */
  async #removeEmpty(from: string): Promise<string> {
    for (let directory = from; directory !== this.#root; directory = dirname(directory)) {
      const failure = await rmdir(directory).catch((error: NodeJS.ErrnoException) => error.code);
      if (failure !== undefined && failure !== "ENOENT") return directory;
    }
    return this.#root;
  }

  /** So that neither the new name nor a directory that was made for it is lost with the machine. */
  async #syncDirectories(from: string): Promise<void> {
    for (let directory = from; ; directory = dirname(directory)) {
      const handle = await open(directory, "r").catch(orGone);
      try {
        await handle?.sync();
      } finally {
        await handle?.close();
      }
      if (directory === this.#root || directory === dirname(directory)) return;
    }
  }

  async #explain(error: unknown, key: string): Promise<unknown> {
    const place = join(this.#root, key);
    switch ((error as NodeJS.ErrnoException).code) {
      case "ENOENT":
        // The volume may have been unmounted meanwhile.
        try {
          await this.#requireRoot();
        } catch (rootError) {
          return rootError;
        }
        return new StoreError("no-object", `${place} isn't there.`, { cause: error });
      case "ENOSPC":
      case "EDQUOT":
        return new StoreError(
          "full",
          `${place} can't be written, the disk is full: make room or keep fewer backups.`,
          { cause: error },
        );
      case "EACCES":
      case "EPERM":
        return new StoreError(
          "access",
          `${place} may not be read or written: give uid ${process.getuid?.()} access to ${this.#root}.`,
          { cause: error },
        );
      case "EROFS":
        return new StoreError("locked", `${place} can't be written: ${this.#root} is mounted read-only.`, {
          cause: error,
        });
      case "EIO":
      case "ESTALE":
      case "ENOTCONN":
      case "ETIMEDOUT":
        return new StoreError(
          "unreachable",
          `${place} can't be reached (${(error as NodeJS.ErrnoException).code}): look at the volume and its server.`,
          { cause: error },
        );
      default:
        return error;
    }
  }
}

const readBytes = 256 * 1024;
/** What waits in the kernel before it is sent to the disk: without it one sync at the end writes gigabytes while the pod's memory counts them. */
const syncEveryBytes = 64 * 1024 * 1024;
const unfinishedPattern = /^\..+\.[0-9a-f]{16}\.unfinished$/;

function unfinishedName(name: string): string {
  return `.${name}.${randomBytes(8).toString("hex")}.unfinished`;
}

/** Somebody else's hidden files, and what isn't finished, are no objects. */
function isObject(name: string): boolean {
  return !name.startsWith(".");
}

/** Creates the file and the directories above it, which a `remove` beside may take away again. */
async function createBelow(path: string): Promise<FileHandle> {
  for (let attempt = 1; ; attempt++) {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    try {
      return await open(path, "wx", 0o600);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT" || attempt === 3) throw error;
    }
  }
}

async function writeThrough(
  file: FileHandle,
  body: BodySource,
  signal: AbortSignal | undefined,
): Promise<number> {
  try {
    let bytes = 0;
    let unsynced = 0;
    for await (const piece of body.pieces(signal)) {
      await file.appendFile(piece);
      bytes += piece.byteLength;
      unsynced += piece.byteLength;
      if (unsynced < syncEveryBytes) continue;
      await file.datasync();
      unsynced = 0;
    }
    await file.sync();
    return bytes;
  } finally {
    await file.close();
  }
}

function byKey(a: Dirent, b: Dirent): number {
  return Buffer.compare(Buffer.from(sortName(a)), Buffer.from(sortName(b)));
}

function sortName(entry: Dirent): string {
  return entry.isDirectory() ? `${entry.name}/` : entry.name;
}

/** What isn't there any more is nothing; anything else is thrown. */
function orGone(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
  throw error;
}
