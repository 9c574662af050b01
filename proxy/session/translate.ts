import { upper } from "../resp/command-frame.ts";
import { ReplyScanner } from "../resp/reply-scanner.ts";
import { isError } from "../resp/reply-type.ts";
import type { Command } from "../upstream/command.ts";
import type { Translation } from "../upstream/run.ts";
import type { ScriptOrigin, ScriptStore } from "../upstream/script-store.ts";
import { type ServerProcess, unknownProcess } from "../upstream/server-process.ts";
import type { Upstream } from "../upstream/upstream.ts";
import { cursorFor, markCursor } from "./cursors.ts";
import type { RedirectTargets } from "./redirect-targets.ts";

/** One with more arguments is none that Redis takes. */
const mostScanArgs = 64;

/** No server has had so many clients. */
const nobodysId = Number.MAX_SAFE_INTEGER;

/** What is sent for a client's command, and what becomes of its reply. */
export interface Translated {
  readonly wire: Pick<Command, "pieces">;
  readonly translation: Translation;
}

/**
 * Stands between a command that is about the server's process and that process: clients don't notice that it is another one.
 * Undefined for all other commands.
 *
 * @param clients whom their ids mean.
 */
export function translate(
  command: Command,
  upstream: Upstream,
  clients: RedirectTargets,
): Translated | undefined {
  const { scripts } = upstream.options;
  const pass = (answered: (reply: Buffer) => void, lost?: () => void): Translated => ({
    wire: command,
    translation: {
      original: command,
      answered: (reply) => {
        answered(reply);
        return reply;
      },
      ...(lost === undefined ? {} : { lost }),
    },
  });
  switch (command.rule.ofProcess) {
    case "cursor": {
      const process = upstream.process ?? unknownProcess;
      return {
        wire: withCursorFor(command, process),
        translation: { original: command, answered: (reply) => markCursor(reply, process.tag) },
      };
    }
    case "script": {
      const keep = (process?: ServerProcess): void => keepScript(command, scripts, process);
      return pass(
        (reply) => {
          if (isAccepted(reply)) keep(upstream.process);
        },
        // Nobody knows whether it came to be executed: its client may take it for loaded.
        () => keep(),
      );
    }
    case "clientId":
      return {
        wire: withPresentId(command, clients),
        translation: { original: command, answered: (reply) => reply },
      };
    case "scriptsForgotten":
      return pass((reply) => {
        if (!isError(reply)) scripts.clear();
      });
    case "scriptsKnown":
      return {
        wire: command,
        translation: { original: command, answered: (reply) => knownToBoth(reply, command, scripts) },
      };
    default:
      return undefined;
  }
}

/** What EXEC is answered, each of its replies as the command's own would be. @param commands that were queued, in order. */
export function translateExec(
  reply: Buffer,
  commands: readonly Command[],
  upstream: Upstream,
  clients: RedirectTargets,
): Buffer {
  if (reply[0] !== 42 || !commands.some(({ rule }) => rule.ofProcess !== undefined)) return reply;
  const header = reply.indexOf("\n") + 1;
  const pieces = [reply.subarray(0, header)];
  const scanner = new ReplyScanner();
  scanner.push(reply.subarray(header));
  for (let i = 0; scanner.next(); ) {
    const one = scanner.buffer.subarray(scanner.start, scanner.end);
    // A message in the middle is none of its replies.
    const command = scanner.type === 62 ? undefined : commands[i++];
    pieces.push((command && translate(command, upstream, clients)?.translation.answered(one)) ?? one);
  }
  return Buffer.concat(pieces);
}

/** Nobody knows whether a transaction was executed: its clients may take its scripts for loaded. */
export function execLost(commands: readonly Command[], scripts: ScriptStore): void {
  for (const command of commands) if (command.rule.ofProcess === "script") keepScript(command, scripts);
}

/** The scripts that a command can't do without, in lower case. */
export function scriptsFor(command: Command): string[] {
  if (command.rule.ofProcess !== "scriptName") return [];
  const sha = command.arg(1);
  return sha === undefined ? [] : [sha.toString("latin1").toLowerCase()];
}

/** Whether a command needs to know the process that it is sent to. */
export function needsProcess({ rule: { ofProcess } }: Command): boolean {
  return ofProcess === "cursor" || ofProcess === "scriptName";
}

function withCursorFor(command: Command, { tag }: ServerProcess): Pick<Command, "pieces"> {
  if (command.argCount > mostScanArgs) return command;
  const at = command.rule.name === "scan" ? 1 : 2;
  const sent = command.arg(at)?.toString("latin1") ?? "";
  const cursor = cursorFor(sent, tag);
  if (cursor === sent) return command;
  return command.withArgs(command.args.with(at, Buffer.from(cursor)));
}

/** What a client was told as another one's id may be a stranger's on the server that is asked now. */
function withPresentId(command: Command, clients: RedirectTargets): Pick<Command, "pieces"> {
  if (command.argCount > mostScanArgs) return command;
  const { args } = command;
  const named = args.findIndex((arg, i) => i >= 2 && upper(arg) === "ID") + 1;
  const at = command.rule.name === "client|unblock" ? 2 : named;
  const told = Number(at > 0 ? args[at]?.toString("latin1") : undefined);
  const target = clients.find(told);
  if (target === undefined || target.id === told) return command;
  return command.withArgs(args.with(at, Buffer.from(String(target.id ?? nobodysId))));
}

/** A script whose call the server refuses isn't compiled; one that runs may answer any error, also its own. */
function isAccepted(reply: Buffer): boolean {
  return (
    !isError(reply) || !/^(-|!\d+\r\n)(NOPERM|NOAUTH|ERR)\b(?!.*script: )/.test(reply.toString("latin1"))
  );
}

function keepScript(command: Command, scripts: ScriptStore, process?: ServerProcess): void {
  const loaded = command.rule.name === "script|load";
  const body = command.arg(loaded ? 2 : 1);
  const origin: ScriptOrigin = loaded ? "loaded" : "evaluated";
  if (body !== undefined) scripts.add(body, origin, process === unknownProcess ? undefined : process);
}

/**
 * `SCRIPT EXISTS`, by the server and by the proxy: a client that hears of one that this proxy doesn't know would rely on it, and after a
 * failover nobody could load it.
 */
function knownToBoth(reply: Buffer, command: Command, scripts: ScriptStore): Buffer {
  if (reply[0] !== 42) return reply;
  const shas = command.args.slice(2);
  let i = 0;
  const text = reply.toString("latin1").replace(/:([01])\r\n/g, (_, known: string) => {
    const sha = shas[i++]?.toString("latin1").toLowerCase() ?? "";
    return `:${known === "1" && scripts.get(sha) !== undefined ? 1 : 0}\r\n`;
  });
  return Buffer.from(text, "latin1");
}
