import { createPrivateKey, createPublicKey, diffieHellman, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { bech32 } from "@scure/base";
import { UserError } from "../../runtime/user-error.ts";

/**
 * A key of age, as `age-keygen` makes it: X25519. Whoever has only the recipient (`age1…`) can make backups and not read them.
 */
export interface EncryptionKey {
  /** Raw X25519 public key: backups are encrypted to it. */
  readonly recipient: Buffer;
  /** Raw X25519 private key; undefined: this key can't decrypt. */
  readonly identity?: Buffer;
}

/**
 * Reads a key file: one line with an identity (`AGE-SECRET-KEY-1…`) or a recipient (`age1…`); empty lines and those that begin with `#` don't count.
 *
 * @throws {UserError} that says what is wrong with the file, and nothing of what is in it.
 */
export function readEncryptionKey(file: string): EncryptionKey {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new UserError(
      `The encryption key ${file} can't be read (${(error as NodeJS.ErrnoException).code}): name the file that age-keygen made.`,
      { cause: error },
    );
  }
  try {
    return parseEncryptionKey(text);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`${file} ${error.message}`, { cause: error });
  }
}

/** Reads the text of a key file. @throws {UserError} to be put behind the file's name. */
export function parseEncryptionKey(text: string): EncryptionKey {
  const lines = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  const [line] = lines;
  if (line === undefined || lines.length > 1)
    throw new UserError(
      `holds ${lines.length} keys: it needs one, an identity (AGE-SECRET-KEY-1…) or a recipient (age1…).`,
    );
  if (/^(AGE-SECRET-KEY-PQ-|age1pq1)/.test(line))
    throw new UserError("holds a post-quantum key: only X25519 is known, which age-keygen makes by default.");
  if (line.startsWith("AGE-SECRET-KEY-1")) {
    const identity = decode(line, "AGE-SECRET-KEY-");
    return { identity, recipient: publicKeyOf(identity) };
  }
  if (line.startsWith("age1")) return { recipient: decode(line, "age") };
  throw new UserError(
    "holds no key of age: it needs one line with AGE-SECRET-KEY-1… or age1…, as age-keygen writes it.",
  );
}

/** The X25519 secret that a private and a public key share. */
export function sharedSecret(identity: Buffer, recipient: Buffer): Buffer {
  return diffieHellman({ privateKey: privateKeyObject(identity), publicKey: publicKeyObject(recipient) });
}

/** The public key of a private one. */
export function publicKeyOf(identity: Buffer): Buffer {
  const spki = createPublicKey(privateKeyObject(identity)).export({ type: "spki", format: "der" });
  return spki.subarray(spki.length - keyBytes);
}

function decode(line: string, prefix: string): Buffer {
  try {
    const { prefix: found, bytes } = bech32.decodeToBytes(line);
    if (found.toLowerCase() === prefix.toLowerCase() && bytes.length === keyBytes) return Buffer.from(bytes);
  } catch {
    // The library's message quotes the key.
  }
  throw new UserError("holds a key that is mistyped or cut off: its check digits are wrong.");
}

/** PKCS #8 and SPKI of RFC 8410, whose end is the raw key: the way into node:crypto. */
function privateKeyObject(raw: Buffer): KeyObject {
  const head = Buffer.from("302e020100300506032b656e04220420", "hex");
  return createPrivateKey({ key: Buffer.concat([head, raw]), format: "der", type: "pkcs8" });
}

function publicKeyObject(raw: Buffer): KeyObject {
  const head = Buffer.from("302a300506032b656e032100", "hex");
  return createPublicKey({ key: Buffer.concat([head, raw]), format: "der", type: "spki" });
}

const keyBytes = 32;
