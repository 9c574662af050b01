/**
 * What an application may do unless configured: everything with its data, nothing with the server. Publishing to channels
 * that begin with `_` is refused, also from scripts: a message on `__sentinel__:hello` would name a new master to the
 * Sentinels. `PSUBSCRIBE` needs a channel rule that is literally its pattern, so a selector of its own allows to listen
 * to everything, and nothing else. `__ha:wait` is a channel that nobody listens to: the proxy needs it for WAIT.
 */
export const standardRules =
  "~* resetchannels &[^_]* &__ha:wait +@all -@admin -@dangerous +info +role +keys +sort +sort_ro +flushdb +flushall (allchannels -@all +subscribe +psubscribe +ssubscribe)";

/**
 * Comes behind all rules of a user of one's own. These commands act behind the Sentinels' back, stop the server, or tell and change
 * passwords. Whoever asks for the rest of the dangerous ones (MONITOR, SLOWLOG, RESTORE, …) gets them. The proxy needs
 * PING and ROLE of every user, and WAIT with `redis:durability sync`.
 */
const never =
  "-acl -bgrewriteaof -bgsave -client|kill -client|pause -client|unpause -cluster -config -debug -failover -migrate -module -psync -replconf -replicaof -restore-asking -save -shutdown -slaveof -sync +ping +role +wait &__ha:wait";

/** The complete rules of an application's user. */
export function completeRules(rules: string | undefined): string {
  return rules === undefined ? standardRules : `resetkeys resetchannels -@all ${rules.trim()} ${never}`;
}

const keyRule = /^(~|%(R|W|RW)~)\S+$/;
const commandRule = /^[+-]@?[a-z0-9_|.-]+$/i;
const plainRules = new Set(["allkeys", "resetkeys", "allcommands", "nocommands", "resetchannels"]);
/** Its first character must rule out `__sentinel__:hello`. */
const channelRule = /^&([A-Za-z0-9:.#/@+-]|\[\^_\])\S*$/;

/** What is wrong with an application's rules, as the end of a sentence; undefined when they are good. */
export function problemOfRules(rules: string): string | undefined {
  for (const word of rules.trim().split(/\s+/)) {
    if (word === "allchannels" || (word.startsWith("&") && !channelRule.test(word))) {
      return `'${word}' could match the Sentinels' own channels: use a channel pattern that begins with a letter or a digit, or &[^_]*`;
    }
    const known =
      keyRule.test(word) || commandRule.test(word) || plainRules.has(word) || channelRule.test(word);
    if (!known) {
      return `'${word}' is not allowed: use ~keys, &channels, +command, -command, +@category, -@category`;
    }
  }
  return undefined;
}
