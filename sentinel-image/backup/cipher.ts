import { UserError } from "../../runtime/user-error.ts";
import { decrypt, encrypt } from "./encryption.ts";
import { readEncryptionKey } from "./encryption-key.ts";
import type { Manifest } from "./manifest.ts";

/** How what is stored is encrypted, and what that makes of a file's name. */
export interface Cipher {
  readonly kind: Manifest["encryption"];
  readonly suffix: string;
  /** A key may be able to encrypt only. */
  readonly decrypts: boolean;
  readonly encrypt: (body: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;
  /** @throws {Error} on the way when the key isn't the right one, or a byte was changed. */
  readonly decrypt: (body: AsyncIterable<Uint8Array>, name: string) => AsyncIterable<Uint8Array>;
}

/** Stores as it comes. */
export const plain: Cipher = {
  kind: "none",
  suffix: "",
  decrypts: true,
  encrypt: (body) => body,
  decrypt: (body) => body,
};

/** Stores in age's format. @param file with the key, read anew at each use. @throws {UserError} when it can't be read. */
export function aged(file: string): Cipher {
  const { identity } = readEncryptionKey(file);
  return {
    kind: "age",
    suffix: ".age",
    decrypts: identity !== undefined,
    encrypt: (body) => encrypt(body, readEncryptionKey(file)),
    decrypt: (body, name) => decrypt(body, readEncryptionKey(file), name),
  };
}

/** How to read a backup. @throws {UserError} when it is encrypted and there is no key for it. */
export function cipherOf({ id, encryption }: Manifest, cipher: Cipher): Cipher {
  if (encryption === "none") return plain;
  if (cipher.kind === "age") return cipher;
  throw new UserError(
    `Backup ${id} is encrypted: name the file with the identity (AGE-SECRET-KEY-1…) that it was made for.`,
  );
}
