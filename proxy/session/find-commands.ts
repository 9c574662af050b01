import { type CommandRule, unknownCommand } from "../commands/command-rule.ts";
import { type CommandTable, maxNameBytes } from "../commands/command-table.ts";
import { upper } from "../resp/command-frame.ts";
import { redisCommandLimits } from "../resp/command-limits.ts";
import { CommandScanner } from "../resp/command-scanner.ts";
import { Command } from "../upstream/command.ts";
import type { Run } from "../upstream/run.ts";
import { maxExaminedArgs } from "./refusal.ts";

/** The rule that counts: the subcommand's, or the one for arguments that make it block. */
export function ruleOf(command: Command, table: CommandTable): CommandRule {
  const rule = command.rule === unknownCommand ? lookUp(command, table) : command.rule;
  if (rule.subcommands === undefined && rule.blocksWith === undefined) return rule;
  if (rule.blocksWith !== undefined) {
    // It is refused.
    if (command.argCount > maxExaminedArgs) return rule;
    const blocks = command.args.some((arg) => upper(arg) === rule.blocksWith);
    return blocks ? rule : { ...rule, route: "shared" };
  }
  return rule.subcommands?.get(command.arg(1)?.toString("latin1").toLowerCase() ?? "") ?? rule;
}

/** It may have been read before the master had told its commands. */
function lookUp(command: Command, table: CommandTable): CommandRule {
  const name = command.arg(0);
  return name === undefined || name.length > maxNameBytes ? unknownCommand : table.find(name, 0, name.length);
}

/** The commands of a run one by one, to decide about each of them. */
export function commandsOf(run: Run, table: CommandTable): Command[] {
  const scanner = new CommandScanner(table, redisCommandLimits);
  const commands: Command[] = [];
  scanner.push(Buffer.concat([...(run.earlier ?? []), run.buffer.subarray(run.start, run.end)]));
  while (scanner.next()) {
    const { rule, argCount, buffer, start, end } = scanner;
    const command = new Command(rule, argCount, [buffer.subarray(start, end)]);
    commands.push(command.withRule(ruleOf(command, table)));
  }
  return commands;
}
