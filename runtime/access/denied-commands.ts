/** Commands that no Redis of a stack would execute, whoever sends them; by what forbids it. */
export const switchedOff: ReadonlyMap<string, string> = new Map([
  ["debug", "redis.conf switches it off (enable-debug-command)"],
  ["module", "redis.conf switches it off (enable-module-command)"],
  ["acl|save", "the users are in a file that only the deployment writes"],
]);

/**
 * Commands that the proxy never passes on: they would change who is the master, stop the server, speak a protocol of their
 * own, or come from a web page. Written as in {@link specialRoutes}.
 */
export const neverPassedOn: ReadonlySet<string> = new Set([
  ...switchedOff.keys(),
  "replicaof",
  "slaveof",
  "failover",
  "shutdown",
  "sync",
  "psync",
  "replconf",
  "restore-asking",
  "asking",
  "script|debug",
  // A web page makes a browser send them: Redis, too, ends such a connection before it reads what comes behind.
  "post",
  "host:",
]);

/**
 * Commands that the proxy passes on only when the setting `proxy:allowCommands` names them. They act on one instance, not on
 * the data: after a failover their effect is gone, they hold up or cut off everybody who shares a connection, or they
 * change what the deployment owns. What is named there the users' rules allow, too (application-rules.ts).
 */
export const deniedUnlessAllowed: ReadonlySet<string> = new Set([
  // Users come from the deployment; they differ between instances otherwise.
  "acl|deluser",
  "acl|load",
  "acl|setuser",
  // A fork, or a server that answers nobody until it has written everything: the Sentinels would replace it.
  "bgrewriteaof",
  "bgsave",
  "save",
  // One connection is many clients.
  "client|kill",
  "client|pause",
  "client|unpause",
  "cluster",
  // The configuration comes from the deployment; counters are the exporter's.
  "config|resetstat",
  "config|rewrite",
  "config|set",
  "migrate",
  "pfdebug",
  "pfselftest",
]);

/** Whether `proxy:allowCommands` may have this name. It comes into the users' rules, where a name that Redis doesn't know would keep it from starting. */
export function isAllowable(name: string): boolean {
  return deniedUnlessAllowed.has(name);
}

/** Whether a command, `container|subcommand` for a subcommand, is passed on when it is allowed. */
export function mayBeAllowed(name: string): boolean {
  return deniedUnlessAllowed.has(name) || deniedUnlessAllowed.has(name.split("|")[0] ?? name);
}
