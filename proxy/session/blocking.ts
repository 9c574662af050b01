import { upper } from "../resp/command-frame.ts";
import type { Protocol } from "../resp/encode-reply.ts";
import type { Command } from "../upstream/command.ts";

/** Where a blocking command's time-out stands, and in which unit. */
function timeoutAt(name: string, args: readonly Buffer[]): { index: number; perSecond: number } | undefined {
  switch (name) {
    case "blmpop":
    case "bzmpop":
      return { index: 1, perSecond: 1 };
    case "xread":
    case "xreadgroup": {
      const block = args.findIndex((arg) => upper(arg) === "BLOCK");
      return block < 0 ? undefined : { index: block + 1, perSecond: 1000 };
    }
    default:
      return { index: args.length - 1, perSecond: 1 };
  }
}

/**
 * The same command with the time that is left, for a new master. 0 means for ever and stays; a time that is over becomes
 * the shortest there is.
 */
export function withRemainingTime(command: Command, waitedMs: number): Command {
  const { args } = command;
  const at = timeoutAt(command.rule.name, args);
  const given = at === undefined ? Number.NaN : Number(args[at.index]?.toString());
  if (at === undefined || !(given > 0)) return command;
  const left = Math.max(given - (waitedMs / 1000) * at.perSecond, at.perSecond / 1000);
  const text = at.perSecond === 1 ? left.toFixed(3) : String(Math.ceil(left));
  return command.withArgs(args.with(at.index, Buffer.from(text)));
}

/** Milliseconds that a blocking command waits at most; undefined when it waits for ever. */
export function timeLimitMs(command: Command): number | undefined {
  const { args } = command;
  const at = timeoutAt(command.rule.name, args);
  const given = at === undefined ? Number.NaN : Number(args[at.index]?.toString());
  return at !== undefined && given > 0 ? (given * 1000) / at.perSecond : undefined;
}

/** What a blocking command answers when its time is over. */
export function timeoutReply(command: Command, protocol: Protocol): Buffer {
  if (protocol === 3) return Buffer.from("_\r\n");
  return Buffer.from(["brpoplpush", "blmove"].includes(command.rule.name) ? "$-1\r\n" : "*-1\r\n");
}

/** XREAD from `$` (or `+`) on another master would miss what came meanwhile without anybody knowing: it ends with nil. */
export function readsFromNow(command: Command): boolean {
  if (command.rule.name !== "xread") return false;
  const { args } = command;
  const streams = args.findIndex((arg) => upper(arg) === "STREAMS");
  return args.slice(streams + 1).some((arg) => arg.length === 1 && ["$", "+"].includes(arg.toString()));
}
