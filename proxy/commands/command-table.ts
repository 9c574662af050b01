import { type CommandInfo, classifyCommand } from "./classify-command.ts";
import { type CommandRule, unknownCommand } from "./command-rule.ts";
import { specialRoutes } from "./special-commands.ts";

/** A name longer than this is no command: it needn't even be looked at. */
export const maxNameBytes = 64;

interface Entry {
  readonly name: Buffer;
  readonly rule: CommandRule;
}

/** Finds a command's rule by the bytes of its name, without making a string of them. */
export class CommandTable {
  /** Every command's rule, by its lower-case name. */
  readonly rules: ReadonlyMap<string, CommandRule>;
  readonly #buckets: (readonly Entry[] | undefined)[];
  readonly #mask: number;
  readonly #infos: readonly CommandInfo[];

  /**
   * @param infos the server's commands. What the proxy itself answers or refuses is known without them.
   * @param allowed names of commands that are passed on although they are denied by default.
   */
  constructor(infos: readonly CommandInfo[], allowed: ReadonlySet<string> = new Set()) {
    this.#infos = infos;
    const rules = new Map(infos.map((info) => [info.name, classifyCommand(info, allowed)]));
    for (const name of Object.keys(specialRoutes)) {
      if (!name.includes("|") && !rules.has(name)) {
        rules.set(name, classifyCommand({ name, flags: [], subcommands: [] }, allowed));
      }
    }
    this.rules = rules;
    // At most half full: hardly any bucket has two names.
    const size = 2 ** Math.ceil(Math.log2(rules.size * 4));
    this.#mask = size - 1;
    const buckets: (Entry[] | undefined)[] = Array.from({ length: size }, () => undefined);
    for (const [text, rule] of rules) {
      const name = Buffer.from(text);
      const at = hash(name, 0, name.length) & this.#mask;
      buckets[at] = [...(buckets[at] ?? []), { name, rule }];
    }
    this.#buckets = buckets;
  }

  /** The same server's table, with commands that are passed on although they are denied by default. */
  allowing(names: ReadonlySet<string>): CommandTable {
    return names.size === 0 ? this : new CommandTable(this.#infos, names);
  }

  /** The rule of the command whose name stands at `start`; {@link unknownCommand} when the server has none. */
  find(bytes: Buffer, start: number, length: number): CommandRule {
    const bucket = this.#buckets[hash(bytes, start, length) & this.#mask];
    if (bucket === undefined) return unknownCommand;
    for (const { name, rule } of bucket) if (sameName(name, bytes, start, length)) return rule;
    return unknownCommand;
  }
}

/** Letters count without case: bit 5 is set, which does no harm to the other characters of names. */
function hash(bytes: Buffer, start: number, length: number): number {
  let value = length;
  for (let i = start; i < start + length; i++) value = (Math.imul(value, 31) + ((bytes[i] ?? 0) | 0x20)) | 0;
  return value ^ (value >>> 15);
}

function sameName(name: Buffer, bytes: Buffer, start: number, length: number): boolean {
  if (name.length !== length) return false;
  for (let i = 0; i < length; i++) {
    const byte = bytes[start + i] ?? 0;
    const lower = byte >= 65 && byte <= 90 ? byte | 0x20 : byte;
    if (lower !== name[i]) return false;
  }
  return true;
}
