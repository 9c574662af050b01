// The file format of age (https://c2sp.org/age), so that a backup can be read with `age --decrypt` when this program isn't there. The format is written
// here, all of its cryptography is Node's: decision 056 has the figures.
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from "node:crypto";
import { UserError } from "../../runtime/user-error.ts";
import { type EncryptionKey, publicKeyOf, sharedSecret } from "./encryption-key.ts";

/**
 * Encrypts a stream; one chunk of 64 KiB is in memory. Its output is 200 bytes longer and 16 for each chunk.
 *
 * What was encrypted can't be shortened, reordered or changed unnoticed: each chunk is authenticated with its number, and the last one as the last.
 */
export async function* encrypt(
  plain: AsyncIterable<Uint8Array>,
  key: Pick<EncryptionKey, "recipient">,
): AsyncIterable<Uint8Array> {
  const fileKey = randomBytes(16);
  const nonce = randomBytes(16);
  yield Buffer.concat([sealHeader(fileKey, key.recipient), nonce]);
  const payloadKey = derive(fileKey, nonce, "payload");
  const chunks = new Chunks(chunkBytes);
  let number = 0;
  for await (const piece of plain) {
    for (const full of chunks.add(piece)) yield seal(payloadKey, number++, false, full);
  }
  yield seal(payloadKey, number, true, chunks.rest());
}

/**
 * Decrypts a stream. What comes out is authenticated; that nothing is missing is known only when it ends without an error.
 *
 * @param name for errors: the object that is read.
 * @throws {UserError} for a key that isn't the one, for a stream that was cut off and for one that was changed.
 */
export async function* decrypt(
  sealed: AsyncIterable<Uint8Array>,
  key: EncryptionKey,
  name: string,
): AsyncIterable<Uint8Array> {
  const { identity } = key;
  if (identity === undefined)
    throw new UserError(
      `${name} can't be read with a recipient (age1…), which only encrypts: name the file with the identity (AGE-SECRET-KEY-1…).`,
    );
  const chunks = new Chunks(chunkBytes + tagBytes);
  let head: Buffer | undefined = Buffer.alloc(0);
  let payloadKey: Buffer | undefined;
  let number = 0;
  for await (const piece of sealed) {
    let rest = piece;
    if (head !== undefined) {
      head = Buffer.concat([head, piece]);
      const opened = openHead(head, { ...key, identity }, name);
      if (opened === undefined) continue;
      head = undefined;
      payloadKey = opened.payloadKey;
      rest = opened.rest;
    }
    if (payloadKey === undefined) continue;
    for (const full of chunks.add(rest)) yield open(payloadKey, number++, false, full, name);
  }
  if (payloadKey === undefined) throw cutOff(name);
  const last = open(payloadKey, number, true, chunks.rest(), name);
  // An empty last chunk behind a full one would be a second way to write the same: nobody writes it.
  if (last.length === 0 && number > 0) throw changed(name);
  yield last;
}

const chunkBytes = 64 * 1024;
const tagBytes = 16;
const cipher = "chacha20-poly1305";
const versionLine = "age-encryption.org/v1";
/** A header for one recipient has 200 bytes; a file that was made by age for many has more. */
const maxHeaderBytes = 16 * 1024;

/** Cuts a stream into chunks of one size. The last one, full or not, is kept until it is known to be the last. */
class Chunks {
  readonly #size: number;
  readonly #buffer: Buffer;
  #used = 0;

  constructor(size: number) {
    this.#size = size;
    this.#buffer = Buffer.allocUnsafeSlow(size);
  }

  /** @returns the chunks that are full and not the last one, each valid until the next. */
  *add(piece: Uint8Array): Iterable<Buffer> {
    let at = 0;
    while (at < piece.byteLength) {
      if (this.#used === this.#size) {
        yield this.#buffer;
        this.#used = 0;
      }
      const taken = Math.min(this.#size - this.#used, piece.byteLength - at);
      this.#buffer.set(piece.subarray(at, at + taken), this.#used);
      this.#used += taken;
      at += taken;
    }
  }

  rest(): Buffer {
    return this.#buffer.subarray(0, this.#used);
  }
}

function seal(key: Buffer, number: number, last: boolean, plain: Buffer): Buffer {
  const sealing = createCipheriv(cipher, key, chunkNonce(number, last), { authTagLength: tagBytes });
  return Buffer.concat([sealing.update(plain), sealing.final(), sealing.getAuthTag()]);
}

function open(key: Buffer, number: number, last: boolean, sealed: Buffer, name: string): Buffer {
  const plain = tryOpen(key, number, last, sealed);
  if (plain !== undefined) return plain;
  // Cut off at the border of two chunks, or in the middle of one: what is the last now wasn't, or isn't whole.
  throw last && (sealed.length < chunkBytes + tagBytes || tryOpen(key, number, false, sealed) !== undefined)
    ? cutOff(name)
    : changed(name);
}

function tryOpen(key: Buffer, number: number, last: boolean, sealed: Buffer): Buffer | undefined {
  if (sealed.length < tagBytes) return undefined;
  const opening = createDecipheriv(cipher, key, chunkNonce(number, last), { authTagLength: tagBytes });
  opening.setAuthTag(sealed.subarray(sealed.length - tagBytes));
  const plain = opening.update(sealed.subarray(0, sealed.length - tagBytes));
  try {
    opening.final();
    return plain;
  } catch {
    return undefined;
  }
}

/** 11 bytes of the chunk's number, one that says whether it is the last. */
function chunkNonce(number: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(number, 5, 6);
  nonce[11] = last ? 1 : 0;
  return nonce;
}

/** The header: the file's key, sealed for the recipient by a key pair that is used once. */
function sealHeader(fileKey: Buffer, recipient: Buffer): Buffer {
  const ephemeral = randomBytes(32);
  const share = publicKeyOf(ephemeral);
  const wrapKey = deriveWrapKey(sharedSecret(ephemeral, recipient), share, recipient);
  const sealing = createCipheriv(cipher, wrapKey, Buffer.alloc(12), { authTagLength: tagBytes });
  const wrapped = Buffer.concat([sealing.update(fileKey), sealing.final(), sealing.getAuthTag()]);
  const text = `${versionLine}\n-> X25519 ${base64(share)}\n${base64(wrapped)}\n---`;
  return Buffer.from(`${text} ${base64(headerMac(fileKey, text))}\n`);
}

/**
 * The key of the payload, from what was read so far.
 *
 * @returns undefined: that isn't all of the header and its nonce yet.
 */
function openHead(
  bytes: Buffer,
  key: { readonly identity: Buffer; readonly recipient: Buffer },
  name: string,
): { payloadKey: Buffer; rest: Buffer } | undefined {
  const begin = `${versionLine}\n`;
  if (bytes.subarray(0, begin.length).toString("latin1") !== begin.slice(0, bytes.length))
    throw new UserError(`${name} isn't encrypted with age: read it without a key.`);
  const macAt = bytes.indexOf("\n--- ");
  const end = macAt < 0 ? -1 : bytes.indexOf("\n", macAt + 1);
  if (end < 0) {
    if (bytes.length > maxHeaderBytes) throw changed(name);
    return undefined;
  }
  if (bytes.length < end + 1 + 16) return undefined;
  const header = bytes.subarray(0, end).toString("latin1");
  const fileKey = unwrapFileKey(header, key, name);
  const [text = "", mac = ""] = splitAt(header, macAt + "\n---".length);
  // As text: a decoder would let bits pass that it doesn't need.
  const expected = Buffer.from(` ${base64(headerMac(fileKey, text))}`);
  const found = Buffer.from(mac);
  if (found.length !== expected.length || !timingSafeEqual(found, expected)) throw changed(name);
  const nonce = bytes.subarray(end + 1, end + 17);
  return { payloadKey: derive(fileKey, nonce, "payload"), rest: bytes.subarray(end + 17) };
}

function unwrapFileKey(
  header: string,
  { identity, recipient }: { readonly identity: Buffer; readonly recipient: Buffer },
  name: string,
): Buffer {
  for (const [, share = "", body = ""] of header.matchAll(
    /^-> X25519 ([A-Za-z0-9+/]{43})\n([A-Za-z0-9+/]{43})$/gm,
  )) {
    const ephemeral = Buffer.from(share, "base64");
    const wrapped = Buffer.from(body, "base64");
    try {
      // A share that is no point of the curve makes Node throw, too.
      const wrapKey = deriveWrapKey(sharedSecret(identity, ephemeral), ephemeral, recipient);
      const opening = createDecipheriv(cipher, wrapKey, Buffer.alloc(12), { authTagLength: tagBytes });
      opening.setAuthTag(wrapped.subarray(wrapped.length - tagBytes));
      return Buffer.concat([opening.update(wrapped.subarray(0, wrapped.length - tagBytes)), opening.final()]);
    } catch {
      // For another recipient.
    }
  }
  throw new UserError(
    `${name} was encrypted for another key: name the file with the identity (AGE-SECRET-KEY-1…) that it was made for.`,
  );
}

function deriveWrapKey(secret: Buffer, share: Buffer, recipient: Buffer): Buffer {
  return derive(secret, Buffer.concat([share, recipient]), `${versionLine}/X25519`);
}

function headerMac(fileKey: Buffer, text: string): Buffer {
  return createHmac("sha256", derive(fileKey, Buffer.alloc(0), "header"))
    .update(text, "latin1")
    .digest();
}

function derive(secret: Buffer, salt: Buffer, info: string): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, salt, info, 32));
}

function base64(bytes: Buffer): string {
  return bytes.toString("base64").replace(/=+$/, "");
}

function splitAt(text: string, index: number): [string, string] {
  return [text.slice(0, index), text.slice(index)];
}

function cutOff(name: string): UserError {
  return new UserError(`${name} is cut off: its end is missing. Use another backup.`);
}

function changed(name: string): UserError {
  return new UserError(`${name} is damaged: a part of it isn't what was encrypted. Use another backup.`);
}
