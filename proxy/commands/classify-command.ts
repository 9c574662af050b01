import type { CommandRule, Route } from "./command-rule.ts";
import {
  blocksWith,
  effectFreeCommands,
  helpSubcommand,
  scripts,
  specialRoutes,
  statesOfProcess,
} from "./special-commands.ts";

/** One entry of the server's `COMMAND` reply. */
export interface CommandInfo {
  /** Lower case; `client|id` for a subcommand. */
  readonly name: string;
  readonly flags: readonly string[];
  readonly subcommands: readonly CommandInfo[];
}

/**
 * Decides how the proxy treats a command, from the server's flags and the small table of exceptions.
 *
 * @param allowed names among those that are denied unless they are allowed. What they do to a connection isn't known, so each
 *   gets one of its own.
 */
export function classifyCommand(info: CommandInfo, allowed: ReadonlySet<string> = new Set()): CommandRule {
  const container = info.name.split("|")[0] ?? info.name;
  const special = specialRoutes[info.name] ?? specialRoutes[container];
  const isAllowed = special === "denied" && (allowed.has(info.name) || allowed.has(container));
  const route = isAllowed ? "once" : (special ?? routeByFlags(info));
  const option = blocksWith[info.name];
  const ofProcess = statesOfProcess[info.name];
  // Exceptions that the server didn't list, because it is older or newer, count all the same.
  const names = new Set([...info.subcommands.map(({ name }) => name), ...specialSubcommands(info.name)]);
  const subcommands = [...names].map((name) =>
    classifyCommand(
      info.subcommands.find((sub) => sub.name === name) ?? { name, flags: info.flags, subcommands: [] },
      allowed,
    ),
  );
  return {
    name: info.name,
    route,
    effectFree: isEffectFree(info, container),
    fast: info.flags.includes("fast"),
    choosesErrors: choosesErrors(info),
    mayWrite: mayWrite(info, route),
    // Whether a script is there is asked only while some may be missing.
    simple:
      route === "shared" &&
      subcommands.length === 0 &&
      (ofProcess === undefined || ofProcess === "scriptName"),
    ...(ofProcess === undefined ? {} : { ofProcess }),
    ...(option === undefined ? {} : { blocksWith: option }),
    ...(subcommands.length === 0
      ? {}
      : { subcommands: new Map(subcommands.map((rule) => [rule.name.split("|")[1] ?? "", rule])) }),
  };
}

function routeByFlags({ flags }: CommandInfo): Route {
  return flags.includes("blocking") ? "blocking" : "shared";
}

function isEffectFree({ name, flags }: CommandInfo, container: string): boolean {
  return (
    flags.includes("readonly") ||
    effectFreeCommands.has(name) ||
    effectFreeCommands.has(container) ||
    name.endsWith(`|${helpSubcommand}`)
  );
}

/** EXEC ends with what its transaction holds, a script writes what it likes, and so does a module's command unless it says that it doesn't. */
function mayWrite({ name, flags }: CommandInfo, route: Route): boolean {
  if (flags.includes("readonly")) return false;
  return flags.includes("write") || route === "exec" || scripts.has(name) || flags.includes("module");
}

function choosesErrors({ name, flags }: CommandInfo): boolean {
  return scripts.has(name.replace(/_ro$/, "")) || flags.includes("module") || name === "debug";
}

function specialSubcommands(container: string): string[] {
  return Object.keys(specialRoutes).filter((name) => name.startsWith(`${container}|`));
}

/**
 * Reads the server's reply to `COMMAND`.
 *
 * @throws {Error} when it isn't the list that every Redis since 2.8.13 gives.
 */
export function readCommandInfo(reply: unknown): CommandInfo[] {
  if (!Array.isArray(reply)) throw new Error(`COMMAND answered ${typeof reply}, not a list`);
  return reply.map((entry: unknown) => {
    if (!Array.isArray(entry)) throw new Error("COMMAND answered an entry that is no list");
    const [name, , flags, , , , , , , subcommands] = entry as unknown[];
    return {
      name: String(name).toLowerCase(),
      flags: Array.isArray(flags) ? flags.map(String) : [],
      subcommands: Array.isArray(subcommands) ? readCommandInfo(subcommands) : [],
    };
  });
}
