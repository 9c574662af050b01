import { createHash } from "node:crypto";
import type { ControlConnection } from "../../quorum/control-connection.ts";
import { messageOf } from "../../runtime/log.ts";
import { parseInfo } from "../start/ask-peer.ts";
import { askHeartbeat, type Heartbeat } from "../supervise/heartbeat.ts";
import type { Cipher } from "./cipher.ts";
import { readKeys } from "./key-counts.ts";
import { backupId, folderOf, type Manifest, manifestFormat, writeManifest } from "./manifest.ts";
import type { ObjectStore } from "./object-store.ts";
import { openSnapshot, type SnapshotSource } from "./snapshot.ts";
import { throttle } from "./throttle.ts";

export interface TakeBackupOptions {
  readonly store: ObjectStore;
  readonly cipher: Cipher;
  /** Name of the instance, for the backup's own. */
  readonly instance: string;
  /** A connection for questions to it. */
  readonly server: ControlConnection;
  /** The same server, as a replica sees it. */
  readonly source: SnapshotSource;
  /** Bound of what is read from it. */
  readonly bytesPerSecond: number;
  /** Told now and then how much of the file has been read. */
  readonly onProgress?: (bytes: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Copies all data of a server into the store, through memory alone. The backup exists from the moment on in which its manifest does: whatever
 * happens before, nobody takes its objects for one.
 *
 * @throws {Error} when the server or the store breaks off. What was stored so far is removed again, if the store still answers.
 */
export async function takeBackup(options: TakeBackupOptions): Promise<Manifest> {
  const { store, cipher, instance, source, bytesPerSecond, onProgress, signal } = options;
  const snapshot = await openSnapshot(source, () => lookAt(options.server), signal);
  const { before, replication } = snapshot;
  const createdMs = before.atMs;
  const id = backupId(createdMs, instance);
  const key = `${folderOf(id)}/dump.rdb${cipher.suffix}`;
  await refuseTaken(store, id).catch((error: unknown) => {
    snapshot.close();
    throw error;
  });
  const read = count(snapshot.body, onProgress);
  const stored = new Summed(cipher.encrypt(throttle(read, bytesPerSecond)));
  try {
    await store.put(key, stored, { signal });
    const manifest: Manifest = {
      formatVersion: manifestFormat,
      id,
      kind: "full",
      createdMs,
      instance,
      server: before.server,
      replication,
      // Exact when nothing was written between the question and the copy; the number says how far they may be off.
      changedBytes: Math.max(0, replication.offset - before.offset),
      ...(before.heartbeat === undefined ? {} : { heartbeat: before.heartbeat }),
      keys: before.keys,
      pieces: [{ key, ...stored.sum }],
      increments: [],
      encryption: cipher.kind,
    };
    await writeManifest(store, manifest, { signal });
    return manifest;
  } catch (error) {
    await store.remove(key).catch(() => undefined);
    throw signal.aborted ? new Error(`the backup was given up: ${messageOf(signal.reason)}`) : error;
  } finally {
    snapshot.close();
  }
}

/** A clock that was set back could name a backup like an earlier one, which then would be written over, or removed after a failure. */
async function refuseTaken(store: ObjectStore, id: string): Promise<void> {
  for await (const { key } of store.list(`${folderOf(id)}/`))
    throw new Error(`${key} is there already: this instance's clock was set back. Try again a moment later.`);
}

interface Looked {
  readonly atMs: number;
  readonly server: { readonly name: string; readonly version: string };
  readonly heartbeat: Heartbeat | undefined;
  readonly keys: Readonly<Record<string, number>>;
  readonly offset: number;
}

/** What the copy will hold, as far as it can be asked for: the copy itself is made a moment later. */
async function lookAt(server: ControlConnection): Promise<Looked> {
  const [heartbeat, text] = await Promise.all([askHeartbeat(server), server.call("INFO")]);
  const info = parseInfo(String(text));
  if (info.get("role") !== "slave") throw new Error("it leads: a backup is taken from a replica");
  if (info.get("master_link_status") !== "up") throw new Error("it isn't linked with its master");
  return { atMs: Date.now(), heartbeat, ...readServer(info), keys: readKeys(info), offset: offsetOf(info) };
}

function readServer(info: ReadonlyMap<string, string>): Pick<Looked, "server"> {
  const valkey = info.get("valkey_version");
  return {
    server: {
      name: valkey === undefined ? "redis" : "valkey",
      version: valkey ?? info.get("redis_version") ?? "unknown",
    },
  };
}

function offsetOf(info: ReadonlyMap<string, string>): number {
  return Number(info.get("master_repl_offset") ?? 0);
}

async function* count(
  body: AsyncIterable<Uint8Array>,
  onProgress: TakeBackupOptions["onProgress"],
): AsyncIterable<Uint8Array> {
  let bytes = 0;
  for await (const part of body) {
    bytes += part.byteLength;
    onProgress?.(bytes);
    yield part;
  }
}

/** Counts and sums what is read of it, for the manifest. */
class Summed implements AsyncIterable<Uint8Array> {
  readonly #body: AsyncIterable<Uint8Array>;
  readonly #hash = createHash("sha256");
  #bytes = 0;

  constructor(body: AsyncIterable<Uint8Array>) {
    this.#body = body;
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    for await (const part of this.#body) {
      this.#hash.update(part);
      this.#bytes += part.byteLength;
      yield part;
    }
  }

  /** Once, when all was read. */
  get sum(): { readonly bytes: number; readonly sha256: string } {
    return { bytes: this.#bytes, sha256: this.#hash.digest("hex") };
  }
}
