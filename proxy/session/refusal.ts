import type { Route } from "../commands/command-rule.ts";
import { httpCommands } from "../commands/special-commands.ts";
import type { Command } from "../upstream/command.ts";
import { deniedReply, httpReply, tooBigReply, tooManyArgsReply } from "./error-replies.ts";

/** Routes of commands whose arguments the proxy itself has to look through, and how many it does: each takes 100 bytes meanwhile. */
const examined: ReadonlySet<Route> = new Set(["local", "blocking", "subscribe", "unsubscribe"]);
export const maxExaminedArgs = 100_000;
/** Bytes of a command that the proxy itself answers: passwords and names are short. */
const maxLocalBytes = 2 ** 20;

/** What is answered to a command that is not brought to Redis. */
export interface Refusal {
  readonly reply: Buffer;
  /** No client of Redis sends such a thing: the connection ends. */
  readonly ends: boolean;
}

/** Why the proxy doesn't take a command at all; undefined: it does. */
export function refusalOf(command: Command): Refusal | undefined {
  const { rule, argCount } = command;
  if (rule.route === "denied") {
    const ends = httpCommands.has(rule.name);
    return { reply: ends ? httpReply : deniedReply(rule.name), ends };
  }
  if (argCount > maxExaminedArgs && examined.has(rule.route)) {
    return { reply: tooManyArgsReply(rule.name, maxExaminedArgs), ends: false };
  }
  if (rule.route === "local" && command.size > maxLocalBytes) {
    return { reply: tooBigReply(rule.name), ends: false };
  }
  return undefined;
}
