import { decodeCommand } from "../resp/command-frame.ts";
import { type CommandLimits, commandLimits, unauthenticatedCommandLimits } from "../resp/command-limits.ts";
import { CommandScanner } from "../resp/command-scanner.ts";
import { bytesOf, Command } from "../upstream/command.ts";
import { type ReplyReceiver, Run } from "../upstream/run.ts";
import type { Upstream } from "../upstream/upstream.ts";
import type { ServerProfile, SessionLimits } from "./session-host.ts";

/** Whoever sends runs; it counts what is to be answered. */
export interface RunSender extends ReplyReceiver {
  readonly outstanding: number;
  /** So many commands more are on their way. */
  sent(count: number): void;
  /** Bound of `outstanding`. */
  readonly maxOutstanding: number;
}

/** A bigger command would hold up the others on the shared connection while it arrives, and Redis may end a connection for its size. */
export const bigCommandBytes = 2 * 2 ** 20;

/** Finds the commands in a client's bytes, and sends those on that are simple: all that stand next to each other at once. */
export class RunReader {
  /** Since when a command has begun, isn't complete and hasn't moved on much, ms of the monotonic clock. */
  partialSince: number | undefined;
  /** Bytes of it that were there then. */
  #partialFrom = 0;
  #hasMore = false;
  readonly #scanner: CommandScanner;
  readonly #limits: SessionLimits;

  constructor(server: ServerProfile, authorized: boolean, limits: SessionLimits) {
    this.#limits = limits;
    this.#scanner = new CommandScanner(server.table, limitsFor(authorized, limits));
  }

  /** A command has begun and isn't complete. */
  get partial(): boolean {
    return this.#scanner.partial;
  }

  get partialBytes(): number {
    return this.#scanner.partialBytes;
  }

  /** There may be commands in what was pushed. */
  get hasMore(): boolean {
    return this.#hasMore;
  }

  /** Before the server has accepted a client it may send very little. */
  limitFor(authorized: boolean): void {
    this.#scanner.limits = limitsFor(authorized, this.#limits);
  }

  /** What was pushed isn't looked at any more. */
  stop(): void {
    this.#hasMore = false;
  }

  push(piece: Buffer): void {
    this.#scanner.push(piece);
    this.#hasMore = true;
  }

  /**
   * Reads on, until a command needs a look of its own, too much is in flight, or all is read.
   *
   * @param upstream where simple commands go; without one each of them needs a look of its own.
   * @returns the command that has to be looked at.
   * @throws {ProtocolError} when the bytes are no command.
   */
  read(sender: RunSender, server: ServerProfile, upstream: Upstream | undefined): Command | undefined {
    const scanner = this.#scanner;
    // This client may have come before the master had told its commands, or the master may be another one now.
    scanner.table = server.table;
    let room = sender.maxOutstanding - sender.outstanding;
    let buffer: Buffer | undefined;
    let start = 0;
    let end = 0;
    let count = 0;
    let writes = false;
    const scriptsMissing = upstream?.scriptsMissing === true;
    const flush = (): void => {
      if (count > 0 && buffer !== undefined && upstream !== undefined) {
        sender.sent(count);
        upstream.send(new Run(sender, undefined, undefined, buffer, start, end, count, writes));
      }
      count = 0;
      writes = false;
    };
    try {
      while (room-- > 0) {
        if (!scanner.next()) {
          this.#hasMore = false;
          break;
        }
        // One was completed: the next has its own time.
        this.partialSince = undefined;
        const { earlier } = scanner;
        const { simple, ofProcess } = scanner.rule;
        const missing = scriptsMissing && ofProcess === "scriptName";
        if (
          upstream === undefined ||
          (!simple && !(ofProcess === "script" && isKnown(scanner, upstream))) ||
          missing ||
          isBig(earlier)
        ) {
          flush();
          const { rule, argCount, buffer: last, start: from, end: to } = scanner;
          return new Command(rule, argCount, [...(earlier ?? []), last.subarray(from, to)]);
        }
        if (earlier === undefined && count > 0 && scanner.buffer === buffer && scanner.start === end) {
          end = scanner.end;
          count++;
          if (scanner.rule.mayWrite) writes = true;
          continue;
        }
        flush();
        if (earlier === undefined) {
          buffer = scanner.buffer;
          start = scanner.start;
          end = scanner.end;
          count = 1;
          writes = scanner.rule.mayWrite;
        } else {
          sender.sent(1);
          const { start: from, end: to } = scanner;
          upstream.send(
            new Run(sender, undefined, earlier, scanner.buffer, from, to, 1, scanner.rule.mayWrite),
          );
        }
      }
    } finally {
      flush();
    }
    if (!this.#hasMore) scanner.forget();
    if (scanner.partial) this.#notePartial();
    else this.partialSince = undefined;
    return undefined;
  }

  #notePartial(): void {
    const bytes = this.#scanner.partialBytes;
    if (this.partialSince !== undefined && bytes - this.#partialFrom < this.#limits.partialCommandBytes)
      return;
    this.partialSince = performance.now();
    this.#partialFrom = bytes;
  }
}

/** Whether an `EVAL` has a script that is kept already: then there is nothing to be learnt from it. */
function isKnown({ earlier, buffer, start, end }: CommandScanner, upstream: Upstream): boolean {
  const { scripts } = upstream.options;
  if (earlier !== undefined || scripts.count === 0) return false;
  return scripts.has(decodeCommand(buffer.subarray(start, end), 2)[1]);
}

/** The last piece doesn't count: it is never big. */
function isBig(earlier: readonly Buffer[] | undefined): boolean {
  return earlier !== undefined && bytesOf(earlier) > bigCommandBytes;
}

/** One object for each bound: thousands of clients have the same. */
const known = new Map<number, CommandLimits>();

function limitsFor(authorized: boolean, { argBytes }: SessionLimits): CommandLimits {
  if (!authorized) return unauthenticatedCommandLimits;
  let limits = known.get(argBytes);
  if (limits === undefined) {
    limits = commandLimits(argBytes, "an eighth of proxy:memory");
    known.set(argBytes, limits);
  }
  return limits;
}
