import { messageOf } from "../../../runtime/log.ts";
import { type Cipher, cipherOf } from "../../../sentinel-image/backup/cipher.ts";
import { findLacking, type Manifest, readPiece } from "../../../sentinel-image/backup/manifest.ts";
import { noteFailure } from "../../../sentinel-image/backup/note-failure.ts";
import type { ObjectStore } from "../../../sentinel-image/backup/object-store.ts";
import { verifyBackup } from "../../../sentinel-image/backup/verify-backup.ts";

export interface CheckOptions {
  readonly store: ObjectStore;
  readonly manifest: Manifest;
  readonly cipher: Cipher;
  /** Path of a redis-server to load it into; undefined: only what is stored is read and compared. */
  readonly program: string | undefined;
  readonly signal: AbortSignal;
}

/** What was found. */
export interface CheckResult {
  readonly ok: boolean;
  /** How far it was checked: its sums, decrypted too, or loaded into a server. */
  readonly depth: "sums" | "decrypted" | "loaded";
  readonly detail: string;
}

/**
 * Reads all of a backup and compares it with its manifest; loads it when there is a server to load it into, and a key when it needs one.
 *
 * @throws {StoreError} when the store can't be read: that says nothing about the backup.
 */
export async function checkBackup(options: CheckOptions): Promise<CheckResult> {
  const { manifest, cipher, program, signal } = options;
  const readable = manifest.encryption === "none" || cipher.kind === "age";
  const lacking = await findLacking(options.store, manifest);
  if (lacking.length > 0) return { ok: false, depth: "sums", detail: lacking.join("; ") };
  const { store, failure } = noteFailure(options.store);
  try {
    if (readable && program !== undefined) {
      for (const increment of manifest.increments) await drain(readPiece(store, increment, { signal }));
      const { ok, detail } = await verifyBackup({ store, manifest, cipher, program, signal });
      return { ok, depth: "loaded", detail };
    }
    for (const piece of [...manifest.pieces, ...manifest.increments]) {
      const stored = readPiece(store, piece, { signal });
      await drain(readable ? cipherOf(manifest, cipher).decrypt(stored, piece.key) : stored);
    }
  } catch (error) {
    if (signal.aborted || failure() !== undefined) throw error;
    return { ok: false, depth: "sums", detail: messageOf(error) };
  }
  return readable
    ? { ok: true, depth: "decrypted", detail: "all bytes are as they were stored; not loaded into a server" }
    : {
        ok: true,
        depth: "sums",
        detail: "all bytes are as they were stored; not decrypted: name the key with --key-file",
      };
}

async function drain(stream: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of stream);
}
