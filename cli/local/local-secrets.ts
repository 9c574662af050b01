import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type AccessSettings, type ApplicationUser, renderAclFiles } from "../../runtime/access/acl-files.ts";
import { hashPassword } from "../../runtime/access/acl-user.ts";
import { partUsers } from "../../runtime/access/parts.ts";
import { acceptedGenerations, derivePassword } from "../../runtime/access/passwords.ts";
import { replaceFile } from "../../runtime/replace-file.ts";

export interface LocalSecretsOptions extends AccessSettings {
  /** Generation of the passwords in use. */
  readonly generation: number;
  /** A user who may do everything on every Redis and Sentinel; for whoever makes faults, or measures what rules cost. */
  readonly tester?: string | undefined;
}

const seedFile = "seeds.json";

/**
 * Writes all secret files of a local topology, readable for this user alone: a password for each user, the users of Redis
 * and of the Sentinels. The seeds stay from one start to the next.
 */
export function writeLocalSecrets(directory: string, options: LocalSecretsOptions): void {
  const { users, generation, tester } = options;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const kept = readSeeds(join(directory, seedFile));
  const accepted = acceptedGenerations(generation).map(
    (number) => [String(number), kept[number] ?? randomBytes(32).toString("hex")] as const,
  );
  const seeds = Object.fromEntries(accepted);
  const write = (name: string, text: string): void => replaceFile(join(directory, name), text);
  write(seedFile, JSON.stringify(seeds));
  const files = renderAclFiles(options, Object.values(seeds));
  const passwordOf = (name: string): string => derivePassword(String(seeds[generation]), name);
  const testers = tester === undefined ? [] : [tester];
  const everything = testers
    .map((name) => `user ${name} on #${hashPassword(passwordOf(name))} ~* &* +@all\n`)
    .join("");
  write("redis.acl", files.redis + everything);
  write("sentinel.acl", files.sentinel + everything);
  write("clients.acl", files.clients);
  for (const name of [...partUsers, ...users.map((user) => user.name), ...testers]) {
    write(name, `${passwordOf(name)}\n`);
  }
  writeGivenPasswords(join(directory, "users"), users, passwordOf);
}

/** Stands in for the platform, which gives these: what is there stays. */
function writeGivenPasswords(
  directory: string,
  users: readonly ApplicationUser[],
  passwordOf: (user: string) => string,
): void {
  for (const { name, existingSecret } of users) {
    if (existingSecret === undefined) continue;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const file = join(directory, name);
    if (!existsSync(file)) replaceFile(file, `${passwordOf(name)}\n`);
  }
}

/** The password of a user for whom {@link writeLocalSecrets} has written one. */
export function readLocalPassword(directory: string, user: string): string {
  return readFileSync(join(directory, user), "utf8").trim();
}

function readSeeds(file: string): Record<string, string> {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Record<string, string>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return {};
  }
}
