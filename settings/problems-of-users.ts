import type { ApplicationUser } from "../runtime/access/acl-files.ts";
import { problemOfRules } from "../runtime/access/application-rules.ts";
import { partUsers } from "../runtime/access/parts.ts";

/** A name that is valid in an aclfile, a URL, a file name and the name of a Secret. */
const userName = /^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$/;

/**
 * Every mistake in `redis:users`, as sentences.
 *
 * @param allowed names of `proxy:allowCommands`.
 */
export function problemsOfUsers(
  users: readonly ApplicationUser[],
  allowed: ReadonlySet<string> = new Set(),
): string[] {
  const problems: string[] = [];
  users.forEach(({ name, rules }, i) => {
    if (!userName.test(name)) {
      problems.push(
        `Configuration 'redis:users' has the name '${name}': use up to 40 lower-case letters, digits and dashes.`,
      );
    }
    if ((partUsers as readonly string[]).includes(name)) {
      problems.push(
        `Configuration 'redis:users' has the name '${name}', which is a part of redis-ha itself: use another one than ${partUsers.join(", ")}.`,
      );
    }
    if (users.findIndex((other) => other.name === name) !== i) {
      problems.push(`Configuration 'redis:users' has the name '${name}' twice: use each name once.`);
    }
    const problem = rules === undefined ? undefined : problemOfRules(rules, allowed);
    if (problem !== undefined) {
      problems.push(`Configuration 'redis:users' gives '${name}' rules that can't be: ${problem}.`);
    }
  });
  return problems;
}
