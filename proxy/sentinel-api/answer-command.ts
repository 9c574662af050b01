import { type ReplyValue, status } from "../resp/encode-reply.ts";
import { type CommandRule, commandTable } from "./command-table.ts";

/** Answers `COMMAND [COUNT | LIST | INFO [name …] | DOCS [name …]]`: as much as clients and redis-cli ask for. Pure. */
export function answerCommand(subcommand: string, args: readonly Buffer[]): ReplyValue {
  const names = args.slice(2).map((arg) => arg.toString("latin1").toLowerCase());
  const asked = names.length > 0 ? names : Object.keys(commandTable);
  switch (subcommand) {
    case "count":
      return Object.keys(commandTable).length;
    case "list":
      return Object.keys(commandTable);
    case "docs":
      return new Map(
        asked.filter((name) => Object.hasOwn(commandTable, name)).map((name) => [name, docs(name)]),
      );
    default:
      return asked.map((name) => {
        const rule = Object.hasOwn(commandTable, name) ? commandTable[name] : undefined;
        return rule === undefined ? null : describe(name, rule);
      });
  }
}

function docs(name: string): ReplyValue {
  const summary = commandTable[name]?.summary ?? "";
  return new Map<string, ReplyValue>([
    ["summary", summary],
    ["since", "1.0.0"],
    ["group", "sentinel"],
  ]);
}

/** The ten elements of a `COMMAND INFO` entry since Redis 7; no command here has keys. */
function describe(name: string, { arity, refused, subcommands = {} }: CommandRule): ReplyValue {
  const nested = Object.entries(subcommands).map(([sub, rule]) => describe(`${name}|${sub}`, rule));
  const flags = refused ? [status("admin")] : [status("fast")];
  return [name, arity, flags, 0, 0, 0, [], [], [], nested];
}
