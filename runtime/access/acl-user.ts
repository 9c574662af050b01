import { createHash } from "node:crypto";

/** One user of a Redis or a Sentinel: what it may do, and the passwords that it is known by. */
export interface AclUser {
  readonly name: string;
  /** Words of the ACL language without passwords, such as `~* -@all +get`. */
  readonly rules: string;
  /** Each of them is accepted: during a rotation there are several. Empty: nobody can be this user. */
  readonly passwords: readonly string[];
}

/** What Redis keeps of a password: its SHA-256 in hex. The passwords here are random and long, so it needs no salt. */
export function hashPassword(password: string): string {
  return createHash("sha256").update(password).digest("hex");
}

/**
 * The text of an `aclfile`: a line for each user, with hashes in place of passwords. The user `default` is off unless it is
 * among them, so that a connection that says nothing may do nothing.
 */
export function renderAclFile(users: readonly AclUser[]): string {
  const lines = users.map(({ name, rules, passwords }) =>
    ["user", name, "on", ...passwords.map((password) => `#${hashPassword(password)}`), rules].join(" "),
  );
  if (!users.some(({ name }) => name === "default")) {
    lines.unshift("user default off resetpass resetkeys resetchannels -@all");
  }
  return `${lines.join("\n")}\n`;
}

/** One line of an `aclfile`, taken apart. */
export interface AclLine {
  readonly name: string;
  /** Everything behind the name, as `ACL SETUSER` takes it; a selector in parentheses is one word. */
  readonly words: readonly string[];
}

/**
 * Reads the text of an `aclfile`.
 *
 * @throws {Error} for a line that isn't a user's.
 */
export function parseAclFile(text: string): AclLine[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .map((line, i) => {
      const [keyword, name, ...words] = line.match(/\([^)]*\)|\S+/g) ?? [];
      // The line isn't shown: it may hold what must not be in a log.
      if (keyword !== "user" || name === undefined)
        throw new Error(`line ${i + 1} of the aclfile is no user's`);
      return { name, words };
    });
}
