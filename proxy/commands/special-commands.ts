import { deniedUnlessAllowed, neverPassedOn } from "../../runtime/access/denied-commands.ts";
import type { ProcessState, Route } from "./command-rule.ts";

/**
 * Commands whose route the server's flags don't tell. Subcommands are written `container|subcommand`; a container that
 * stands here rules all its subcommands that don't.
 */
export const specialRoutes: Readonly<Record<string, Route>> = {
  ...Object.fromEntries([...neverPassedOn, ...deniedUnlessAllowed].map((name) => [name, "denied" as const])),
  "module|list": "shared",
  "module|help": "shared",
  // The proxy is the endpoint of these.
  select: "local",
  auth: "local",
  hello: "local",
  quit: "local",
  reset: "local",
  sentinel: "local",
  "client|setname": "local",
  "client|getname": "local",
  "client|setinfo": "local",
  "client|reply": "local",
  "client|maint_notifications": "local",
  "client|capa": "local",
  multi: "multi",
  exec: "exec",
  discard: "discard",
  watch: "watch",
  unwatch: "unwatch",
  subscribe: "subscribe",
  psubscribe: "subscribe",
  ssubscribe: "subscribe",
  unsubscribe: "unsubscribe",
  punsubscribe: "unsubscribe",
  sunsubscribe: "unsubscribe",
  wait: "wait",
  waitaof: "wait",
  // A busy script holds up the connection that it came over.
  "script|kill": "once",
  "function|kill": "once",
  "function|stats": "once",
  // They change or tell the state of their own connection.
  monitor: "session",
  "client|id": "session",
  "client|info": "session",
  "client|getredir": "session",
  "client|trackinginfo": "session",
  "client|tracking": "session",
  "client|caching": "session",
  "client|no-evict": "session",
  "client|no-touch": "session",
  "client|import-source": "session",
};

/** The words of HTTP among them. */
export const httpCommands: ReadonlySet<string> = new Set(["post", "host:"]);

/** Commands without the flag `readonly` that leave no trace all the same, and those that do no more the second time. */
export const effectFreeCommands: ReadonlySet<string> = new Set([
  "ping",
  "echo",
  "time",
  "info",
  "role",
  "lastsave",
  "command",
  "dbsize",
  "lolwut",
  "memory|usage",
  "memory|stats",
  "memory|doctor",
  "memory|malloc-stats",
  "config|get",
  "client|list",
  "client|id",
  "client|info",
  "client|getredir",
  "client|trackinginfo",
  "acl|list",
  "acl|users",
  "acl|getuser",
  "acl|whoami",
  "acl|cat",
  "acl|dryrun",
  "pubsub",
  "slowlog|get",
  "slowlog|len",
  "latency|doctor",
  "latency|graph",
  "latency|histogram",
  "latency|history",
  "latency|latest",
  "module|list",
  "script|exists",
  "script|show",
  "script|load",
  "function|list",
  "function|dump",
  "function|stats",
  "object",
  "xinfo",
  "watch",
  "unwatch",
]);

/** What runs a program that may write; the server's flags don't say so. */
export const scripts: ReadonlySet<string> = new Set(["eval", "evalsha", "fcall"]);

/** Commands whose meaning ends with the server's process. */
export const statesOfProcess: Readonly<Record<string, ProcessState>> = {
  scan: "cursor",
  sscan: "cursor",
  hscan: "cursor",
  zscan: "cursor",
  eval: "script",
  eval_ro: "script",
  "script|load": "script",
  evalsha: "scriptName",
  evalsha_ro: "scriptName",
  "script|exists": "scriptsKnown",
  "script|show": "scriptsKnown",
  "script|flush": "scriptsForgotten",
  "client|unblock": "clientId",
  "client|kill": "clientId",
};

/** Commands that block only with an option. */
export const blocksWith: Readonly<Record<string, string>> = { xread: "BLOCK", xreadgroup: "BLOCK" };

/** Every container answers HELP, which changes nothing. */
export const helpSubcommand = "help";
