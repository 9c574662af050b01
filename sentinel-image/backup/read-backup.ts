import { type Cipher, cipherOf } from "./cipher.ts";
import { type Manifest, readPiece } from "./manifest.ts";
import type { ObjectStore } from "./object-store.ts";

/** The RDB file of a backup. @throws {Error} on the way when a piece is damaged or can't be had, or the key isn't the right one. */
export async function* readBackup(
  store: ObjectStore,
  manifest: Manifest,
  cipher: Cipher,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const { decrypt } = cipherOf(manifest, cipher);
  for (const piece of manifest.pieces) yield* decrypt(readPiece(store, piece, { signal }), piece.key);
}
