import { deniedUnlessAllowed, neverPassedOn } from "./denied-commands.ts";
import { problemOfRuleWord } from "./rule-words.ts";

/**
 * What an application may do unless configured: everything with its data, nothing with the server. Publishing to channels
 * that begin with `_` is refused, also from scripts: a message on `__sentinel__:hello` would name a new master to the
 * Sentinels. `PSUBSCRIBE` needs a channel rule that is literally its pattern, so a selector of its own allows to listen
 * to everything, and nothing else. `__ha:wait` is a channel that nobody listens to: the proxy needs it for WAIT.
 */
export const standardRules =
  "~* resetchannels &[^_]* &__ha:wait +@all -@admin -@dangerous +info +role +keys +sort +sort_ro +flushdb +flushall (allchannels -@all +subscribe +psubscribe +ssubscribe)";

/**
 * What is taken from a user with rules of its own, behind all of them. These commands act behind the Sentinels' back, stop the
 * server, or tell and change passwords. Whoever asks for the rest of the dangerous ones (MONITOR, SLOWLOG, RESTORE, …) gets them.
 */
const withheld = [
  "acl",
  "bgrewriteaof",
  "bgsave",
  "client|kill",
  "client|pause",
  "client|unpause",
  "cluster",
  "config",
  "debug",
  "failover",
  "migrate",
  "module",
  "psync",
  "replconf",
  "replicaof",
  "restore-asking",
  "save",
  "shutdown",
  "slaveof",
  "sync",
] as const;

/** What a container is made of, where one of them may be allowed and the others not. What is harmless isn't here. */
const parts: Readonly<Record<string, readonly string[]>> = {
  acl: ["deluser", "dryrun", "getuser", "list", "load", "log", "save", "setuser", "users"],
  config: ["get", "resetstat", "rewrite", "set"],
};

/** The proxy needs PING and ROLE of every user, and WAIT with `redis:durability sync`. Who one is everybody may know. */
const always = "+ping +role +wait &__ha:wait +acl|whoami";

/** What is withheld although the operator has allowed some commands. */
function withheldBut(allowed: ReadonlySet<string>): string[] {
  return withheld
    .filter((name) => !allowed.has(name))
    .flatMap((name) => {
      const whole = (parts[name] ?? []).map((part) => `${name}|${part}`);
      const rest = whole.filter((part) => !allowed.has(part));
      return rest.length === whole.length ? [name] : rest;
    });
}

/**
 * The complete rules of an application's user.
 *
 * @param rules of its own. Unset: {@link standardRules}.
 * @param allowed names of `proxy:allowCommands`. A user without rules may do them; one with rules, if its rules say so.
 */
export function completeRules(rules: string | undefined, allowed: ReadonlySet<string> = new Set()): string {
  if (rules === undefined) return [standardRules, ...[...allowed].map((name) => `+${name}`)].join(" ");
  const taken = withheldBut(allowed).map((name) => `-${name}`);
  return ["resetkeys resetchannels -@all", rules.trim(), ...taken, always].join(" ");
}

const keyRule = /^(~|%(R|W|RW)~)\S+$/;
const commandRule = /^[+-]@?[a-z0-9_|.-]+$/i;
const plainRules = new Set(["allkeys", "resetkeys", "allcommands", "nocommands", "resetchannels"]);
/** Its first character must rule out `__sentinel__:hello`. */
const channelRule = /^&([A-Za-z0-9:.#/@+-]|\[\^_\])\S*$/;

/**
 * Why a rule gives nothing, as the end of a sentence; undefined when it gives something. Only of a single command: whoever asks
 * for a category means what is left of it.
 */
function problemOfGift(name: string, allowed: ReadonlySet<string>): string | undefined {
  const [container = name] = name.split("|");
  const isIn = (names: { has(name: string): boolean }): boolean => names.has(name) || names.has(container);
  if (isIn(allowed) || always.split(" ").includes(`+${name}`)) return undefined;
  if ([...allowed].some((one) => one.startsWith(`${name}|`))) return undefined;
  if (isIn(deniedUnlessAllowed)) {
    return `'+${name}' has no effect: allow it with proxy:allowCommands, too, or remove it`;
  }
  return isIn(neverPassedOn) || isIn(new Set(withheld))
    ? `'+${name}' has no effect, since no application may do it: remove it`
    : undefined;
}

/**
 * What is wrong with an application's rules, as the end of a sentence; undefined when they are good.
 *
 * @param allowed names of `proxy:allowCommands`.
 */
export function problemOfRules(rules: string, allowed: ReadonlySet<string> = new Set()): string | undefined {
  for (const word of rules.trim().split(/\s+/)) {
    if (word === "allchannels" || (word.startsWith("&") && !channelRule.test(word))) {
      return `'${word}' could match the Sentinels' own channels: use a channel pattern that begins with a letter or a digit, or &[^_]*`;
    }
    const known =
      keyRule.test(word) || commandRule.test(word) || plainRules.has(word) || channelRule.test(word);
    if (!known) {
      return `'${word}' is not allowed: use ~keys, &channels, +command, -command, +@category, -@category`;
    }
    const [, gift] = /^\+([^@].*)$/.exec(word.toLowerCase()) ?? [];
    const problem =
      (gift === undefined ? undefined : problemOfGift(gift, allowed)) ??
      (commandRule.test(word) ? problemOfRuleWord(word) : undefined);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
