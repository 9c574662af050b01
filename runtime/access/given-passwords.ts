import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hashPassword } from "./acl-user.ts";

/** So many passwords of one user are accepted: the one in use, the next one, and some of before. */
const most = 10;

/**
 * Completes the text of an aclfile with passwords that the platform gives, each user's in a file with its name. Each line is a
 * password, so that during a rotation the old and the new one are there. A file that is gone, or empty, changes nothing: somebody is
 * about to write it again, and clients are still at work.
 */
export class GivenPasswords {
  readonly #directory: string;
  readonly #last = new Map<string, readonly string[]>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** @throws {Error} when a file can't be read although it is there, or has too many lines. */
  complete(aclFile: string): string {
    return aclFile.replace(/^user (\S+) on(?= )/gm, (line, name: string) => {
      const hashes = this.#passwordsOf(name).map((password) => ` #${hashPassword(password)}`);
      return `${line}${hashes.join("")}`;
    });
  }

  #passwordsOf(user: string): readonly string[] {
    const passwords = readLines(join(this.#directory, user));
    if (passwords.length > most)
      throw new Error(
        `the Secret of user '${user}' has ${passwords.length} lines: at most ${most} passwords, each on a line`,
      );
    if (passwords.length > 0) this.#last.set(user, passwords);
    return this.#last.get(user) ?? [];
  }
}

function readLines(path: string): readonly string[] {
  try {
    return readFileSync(path, "utf8")
      .split(/\r?\n/)
      .filter((line) => line !== "");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
