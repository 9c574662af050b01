import { timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { type AclLine, hashPassword, parseAclFile } from "../../runtime/access/acl-user.ts";
import { GivenPasswords } from "../../runtime/access/given-passwords.ts";
import type { Authenticate } from "./client-session.ts";

/**
 * Reads the users in an aclfile anew at every call.
 *
 * @param givenDirectory with passwords that the platform gives.
 * @throws {Error} when it can't be read.
 */
export function aclFileReader(path: string, givenDirectory?: string): () => readonly AclLine[] {
  const given = givenDirectory === undefined ? undefined : new GivenPasswords(givenDirectory);
  return () => {
    const text = readFileSync(path, "utf8");
    return parseAclFile(given?.complete(text) ?? text);
  };
}

/** Compared with when the user is not known, so that this takes as long as a wrong password. */
const nobody = Buffer.alloc(32);

/**
 * Checks the credentials of Sentinel clients against the users of an aclfile. So a client can ask where to connect while
 * there is no Redis to ask.
 *
 * @param read gives the users, anew at every check. What it throws is told to the log, and the client gets an error that it
 * can try again after.
 */
export function checkUser(read: () => readonly AclLine[], report: (error: unknown) => void): Authenticate {
  return async (user, given) => {
    try {
      const words = read().find(({ name }) => name === user)?.words ?? [];
      const hashes = words.includes("on") ? words.filter((word) => /^#[0-9a-f]{64}$/.test(word)) : [];
      const offered = Buffer.from(hashPassword(given), "hex");
      const same = hashes.map((hash) => timingSafeEqual(Buffer.from(hash.slice(1), "hex"), offered));
      if (same.length === 0) return timingSafeEqual(nobody, offered);
      return same.includes(true);
    } catch (error) {
      report(error);
      return "ERR the proxy can't read its users, try again later";
    }
  };
}
