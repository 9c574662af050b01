import { nearest } from "../nearest.ts";
import { redisCommands } from "./redis-commands.ts";

/** Redis' categories of commands, and those of the modules that come with Redis 8. */
export const categories: readonly string[] = [
  ..."all keyspace read write set sortedset list hash string bitmap hyperloglog geo stream pubsub".split(" "),
  ..."admin fast slow blocking dangerous connection transaction scripting".split(" "),
  ..."search json bloom cuckoo cms topk tdigest timeseries".split(" "),
];

/** What later servers know than the one of the generated list: Redis up to 8.6, and Valkey. */
const laterCommands = [
  "waitaof hexpire hpexpire hexpireat hpexpireat hexpiretime hpexpiretime httl hpttl hpersist hgetdel hgetex hsetex",
  "xdelex xackdel xcfgset delex delifeq digest msetex hotkeys commandlog clusterscan",
  "vadd vcard vdim vemb vgetattr vinfo vismember vlinks vrandmember vrange vrem vsetattr vsim",
  "client|no-touch client|setinfo client|capa client|import-source client|maint_notifications script|show",
  "cluster|myshardid cluster|slot-stats cluster|migration cluster|trimslots cluster|flushslot cluster|syncslots",
  "commandlog|get commandlog|len commandlog|reset hotkeys|get hotkeys|start hotkeys|stop hotkeys|reset",
].flatMap((names) => names.split(" "));

const commands: ReadonlySet<string> = new Set([...redisCommands, ...laterCommands]);
const containers: ReadonlySet<string> = new Set(
  [...commands].flatMap((name) => (name.includes("|") ? name.split("|").slice(0, 1) : [])),
);

/**
 * Why Redis couldn't read a rule about commands, as the end of a sentence; undefined when nothing is wrong as far as one can know here: modules and
 * newer servers bring commands of their own, so that only what is nearly a known name is taken for a mistake.
 *
 * @param word `+command`, `-command`, `+command|sub`, `+@category` or `-@category`.
 */
export function problemOfRuleWord(word: string): string | undefined {
  const sign = word.slice(0, 1);
  const name = word.slice(1).toLowerCase();
  if (name.startsWith("@")) {
    if (categories.includes(name.slice(1))) return undefined;
    const meant = nearest(name.slice(1), categories);
    const advice = meant === undefined ? `use one of ${categories.join(", ")}` : `use ${sign}@${meant}`;
    return `'${word}' names no category of Redis: ${advice}`;
  }
  if (commands.has(name)) return undefined;
  const [container = "", ...subs] = name.split("|");
  if (subs.length > 1 || subs[0] === "") {
    return `'${word}' is more than a command and its subcommand: use ${sign}${container} or ${sign}${container}|subcommand`;
  }
  // A module's, as ft.search.
  if (container.includes(".")) return undefined;
  if (subs.length > 0 && commands.has(container) && !containers.has(container)) {
    return sign === "+"
      ? undefined
      : `'${word}' takes a single argument away, which Redis can't: use -${container}`;
  }
  const known = subs.length > 0 && commands.has(container);
  const candidates = known ? [...commands].filter((one) => one.startsWith(`${container}|`)) : [...commands];
  const meant = nearest(name, candidates, name.length < 5 ? 1 : 2);
  return meant === undefined ? undefined : `'${word}' names no command of Redis: use ${sign}${meant}`;
}
