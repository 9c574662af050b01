import { type AclUser, renderAclFile } from "./acl-user.ts";
import { completeRules } from "./application-rules.ts";
import { partUsers, promotingOnly, redisRules, sentinelClientRules, sentinelRules } from "./parts.ts";
import { derivePassword } from "./passwords.ts";

/** An application's user, as configured. */
export interface ApplicationUser {
  readonly name: string;
  /** Words of the ACL language. Unset: everything with the data, nothing with the server. */
  readonly rules?: string | undefined;
  /** Where the password is, when the platform gives it: each line of the key's value is accepted. Unset: it is generated. */
  readonly existingSecret?: { readonly name: string; readonly key?: string | undefined } | undefined;
}

/** What decides who may do what. */
export interface AccessSettings {
  readonly users: readonly ApplicationUser[];
  /** Names of `proxy:allowCommands`: the proxy passes them on, and Redis has to execute them. */
  readonly allowedCommands?: readonly string[] | undefined;
  /** `redis:durability` `quorum`: the Sentinels may promote instances only. Default false. */
  readonly quorum?: boolean | undefined;
  /** Clients talk to the real Sentinels, so these know the applications' users, too. */
  readonly clientsAskSentinels: boolean;
}

/** Secret files with the users of a server. Passwords are in there as hashes only. */
export interface AclFiles {
  /** For Redis. */
  readonly redis: string;
  /** For the Sentinels. */
  readonly sentinel: string;
  /** The applications' users alone: the proxy's Sentinel API lets them in while there is no master to ask. */
  readonly clients: string;
}

/** The users of all servers. @param seeds of every generation that is accepted. */
export function renderAclFiles(
  { users, allowedCommands, clientsAskSentinels, quorum = false }: AccessSettings,
  seeds: readonly string[],
): AclFiles {
  /** Those servers learn the password while they run: {@link withGivenPasswords}. */
  const given = new Set(
    users.flatMap(({ name, existingSecret }) => (existingSecret === undefined ? [] : [name])),
  );
  const known = (name: string, rules: string): AclUser => ({
    name,
    rules,
    passwords: given.has(name) ? [] : seeds.map((seed) => derivePassword(seed, name)),
  });
  const onSentinel = partUsers.flatMap((name) => {
    const rules = sentinelRules[name];
    return rules === undefined ? [] : [known(name, rules)];
  });
  const allowed = new Set(allowedCommands);
  const clients = users.map(({ name }) => known(name, sentinelClientRules));
  return {
    redis: renderAclFile([
      ...partUsers.map((name) =>
        known(name, quorum && name === "sentinel" ? promotingOnly : redisRules[name]),
      ),
      ...users.map(({ name, rules }) => known(name, completeRules(rules, allowed))),
    ]),
    sentinel: renderAclFile([...onSentinel, ...(clientsAskSentinels ? clients : [])]),
    clients: renderAclFile(clients),
  };
}
