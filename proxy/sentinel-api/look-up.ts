import { type CommandRule, commandTable } from "./command-table.ts";

/** A command of the table, in lower case: `sentinel`, `myid` and `sentinel|myid`; or the error that its client gets. */
export type Lookup =
  | { readonly name: string; readonly subcommand: string; readonly label: string; readonly rule: CommandRule }
  | { readonly refusal: string };

/** Redis quotes that many characters of an unknown command. */
const quoted = 128;

/** Finds a command by its arguments. One that is unknown or has the wrong number of them gets Redis' error for it. */
export function lookUp(args: readonly Buffer[]): Lookup {
  const [given = Buffer.alloc(0), givenSub] = args;
  const name = given.toString("latin1").toLowerCase();
  const command = ruleOf(commandTable, name);
  if (command === undefined) {
    const rest = args.slice(1, quoted).map((arg) => `'${arg.toString("latin1", 0, quoted)}' `);
    const beginning = rest.join("").slice(0, quoted);
    return {
      refusal: `ERR unknown command '${given.toString("latin1", 0, quoted)}', with args beginning with: ${beginning}`,
    };
  }
  if (!fits(command, args)) return wrongCount(name);
  if (command.subcommands === undefined || givenSub === undefined) {
    return { name, subcommand: "", label: name, rule: command };
  }
  const subcommand = givenSub.toString("latin1").toLowerCase();
  const label = `${name}|${subcommand}`;
  const rule = ruleOf(command.subcommands, subcommand);
  if (rule === undefined) {
    const shown = givenSub.toString("latin1", 0, quoted);
    return { refusal: `ERR unknown subcommand '${shown}'. Try ${name.toUpperCase()} HELP.` };
  }
  return fits(rule, args) ? { name, subcommand, label, rule } : wrongCount(label);
}

/** The error for what is known and not done here. */
export function refusalOf(label: string): string {
  return `NOPERM the proxy's Sentinel API doesn't execute '${label}': send it to a Sentinel itself`;
}

function ruleOf(table: Readonly<Record<string, CommandRule>>, name: string): CommandRule | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

function fits({ arity }: CommandRule, args: readonly Buffer[]): boolean {
  return arity < 0 ? args.length >= -arity : args.length === arity;
}

function wrongCount(label: string): Lookup {
  return { refusal: `ERR wrong number of arguments for '${label}' command` };
}
