import { ProtocolError } from "../../runtime/protocol-error.ts";
import { splitInline } from "../../runtime/split-inline.ts";
import { type CommandRule, unknownCommand } from "../commands/command-rule.ts";
import type { CommandTable } from "../commands/command-table.ts";
import { maxNameBytes } from "../commands/command-table.ts";
import { encodeCommand } from "./command-frame.ts";
import { type CommandLimits, defaultCommandLimits, unauthenticatedCommandLimits } from "./command-limits.ts";
import { keepPiece } from "./keep-piece.ts";

const [LF, CR, STAR, DOLLAR] = [10, 13, 42, 36];

const nothing = Buffer.alloc(0);

/** A number line never needs more: sign, 19 digits, CR, LF. */
const maxNumberBytes = 32;

/**
 * Finds the boundaries and the names of commands in a client's bytes, whatever the pieces in which they come. Nothing is
 * copied except for what a piece cut in two, and nothing is allocated ahead of bytes that were only promised.
 *
 * Push a piece, then call {@link next} until it gives false. After true, `rule` and `argCount` are the command's, and its
 * bytes are `earlier` followed by `buffer[start, end)`.
 */
export class CommandScanner {
  buffer: Buffer = nothing;
  start = 0;
  end = 0;
  rule: CommandRule = unknownCommand;
  argCount = 0;
  /** The pieces of a command that began in earlier pieces; undefined when all of it is in `buffer`. */
  earlier: Buffer[] | undefined;
  limits: CommandLimits;
  table: CommandTable;
  /** What is being looked at. The same as `buffer`, except after an inline command. */
  #piece: Buffer = nothing;
  #at = 0;
  /** Bytes of the command in earlier pieces. */
  #taken = 0;
  /** Arguments that are still to come, 0 between two commands. */
  #argsLeft = 0;
  /** Bytes of an argument's body (with its CRLF) that are still to come. */
  #bodyLeft = 0;
  #named = true;

  constructor(table: CommandTable, limits: CommandLimits = defaultCommandLimits) {
    this.table = table;
    this.limits = limits;
  }

  /** A command has begun and isn't complete. */
  get partial(): boolean {
    return this.#argsLeft > 0 || this.#at < this.#piece.length;
  }

  /** Bytes that are kept for a command that isn't complete. */
  get partialBytes(): number {
    let bytes = this.#piece.length - this.#at;
    if (this.#argsLeft > 0) for (const piece of this.earlier ?? []) bytes += piece.length;
    return bytes;
  }

  /** Bytes behind the last command that was found. */
  rest(): Buffer {
    return this.#piece.subarray(this.#at);
  }

  /** Lets go of the last piece when nothing of it is needed: thousands of idle clients would keep one each. */
  forget(): void {
    if (this.partial) return;
    this.#piece = this.buffer = nothing;
    this.#at = 0;
    this.earlier = undefined;
  }

  /** Takes the next piece; all commands of the earlier ones must have been taken. */
  push(piece: Buffer): void {
    // Only a cut number line, name or inline command is left over; whole arguments were taken.
    this.#piece =
      this.#at === this.#piece.length ? piece : Buffer.concat([this.#piece.subarray(this.#at), piece]);
    this.#at = 0;
    this.start = 0;
  }

  /**
   * Goes on to the next command; false when more bytes are needed.
   *
   * @throws {ProtocolError} when the bytes are no command, or one beyond the limits.
   */
  next(): boolean {
    const buffer = this.#piece;
    const size = buffer.length;
    let at = this.#at;
    this.buffer = buffer;
    if (this.#argsLeft === 0) {
      this.earlier = undefined;
      this.#taken = 0;
      for (;;) {
        this.start = at;
        if (at >= size) return this.#stop(at);
        if (buffer[at] !== STAR) {
          const lineEnd = this.#line(at);
          if (lineEnd < 0) return this.#stop(at);
          if (this.#inline(buffer.subarray(at, lineEnd), lineEnd + 1)) return true;
          // Empty lines are skipped, and what comes then may be of the other kind.
          at = lineEnd + 1;
          continue;
        }
        const lineEnd = this.#number(at, "multibulk");
        if (lineEnd < 0) return this.#stop(at);
        at = lineEnd;
        if (this.#value > this.limits.args) {
          throw new ProtocolError(
            this.limits.args === unauthenticatedCommandLimits.args
              ? "unauthenticated multibulk length"
              : "invalid multibulk length",
          );
        }
        // Redis skips empty and negative ones without a reply.
        if (this.#value > 0) break;
      }
      this.argCount = this.#value;
      this.#argsLeft = this.#value;
      this.#named = false;
    }
    if (this.#bodyLeft > 0) {
      const step = Math.min(this.#bodyLeft, size - at);
      at += step;
      this.#bodyLeft -= step;
      if (this.#bodyLeft > 0) return this.#stop(at);
      this.#argsLeft--;
    }
    while (this.#argsLeft > 0) {
      if (at >= size) return this.#stop(at);
      if (buffer[at] !== DOLLAR) {
        throw new ProtocolError(`expected '$', got '${printable(buffer[at] ?? 0)}'`);
      }
      const body = this.#number(at, "bulk");
      if (body < 0) return this.#stop(at);
      const length = this.#value;
      if (length < 0 || length > this.limits.argBytes) {
        throw new ProtocolError(
          this.limits.argBytes === unauthenticatedCommandLimits.argBytes
            ? "unauthenticated bulk length"
            : this.#tooBig("invalid bulk length", this.limits.argBytes),
        );
      }
      const after = body + length + 2;
      if (this.#taken + after - this.start > this.limits.commandBytes) {
        throw new ProtocolError(this.#tooBig("too big command", this.limits.commandBytes));
      }
      if (!this.#named) {
        if (length > maxNameBytes) this.rule = unknownCommand;
        // The name is needed in one piece.
        else if (after > size) return this.#stop(at);
        else this.rule = this.table.find(buffer, body, length);
        this.#named = true;
      }
      if (after > size) {
        this.#bodyLeft = after - size;
        return this.#stop(size);
      }
      at = after;
      this.#argsLeft--;
    }
    this.end = at;
    this.#at = at;
    return true;
  }

  #tooBig(what: string, most: number): string {
    const { reason } = this.limits;
    return reason === undefined ? what : `${what}: the proxy takes at most ${most} bytes (${reason})`;
  }

  #value = 0;

  /** Reads the number line at `at` into `#value`; gives where the next line begins, or -1 when it isn't complete. */
  #number(at: number, what: string): number {
    const buffer = this.#piece;
    let i = at + 1;
    let value = 0;
    let byte = buffer[i];
    const negative = byte === 45;
    if (negative) byte = buffer[++i];
    const first = i;
    while (byte !== undefined && byte >= 48 && byte <= 57) {
      value = value * 10 + byte - 48;
      byte = buffer[++i];
    }
    if (i - at > maxNumberBytes) throw new ProtocolError(`too big ${what} count string`);
    if (byte === undefined) return -1;
    // Redis reads no leading zeros and no -0: it would close the connection that all share.
    const zero = buffer[first] === 48 && (negative || i > first + 1);
    if (byte !== CR || i === first || zero) throw new ProtocolError(`invalid ${what} length`);
    if (i + 1 >= buffer.length) return -1;
    if (buffer[i + 1] !== LF) throw new ProtocolError(`invalid ${what} length`);
    this.#value = negative ? -value : value;
    return i + 2;
  }

  /** Nothing more can be found: keeps what the unfinished command has taken of this piece. */
  #stop(at: number): false {
    if (this.#argsLeft > 0 && at > this.start) {
      this.earlier ??= [];
      keepPiece(this.earlier, this.#piece.subarray(this.start, at));
      this.#taken += at - this.start;
    }
    this.start = at;
    this.#at = at;
    const rest = this.#piece.length - at;
    if (rest === 0) {
      // All that is needed of it is in `earlier`.
      this.#piece = this.buffer = nothing;
      this.start = this.#at = 0;
    } else if (rest * 2 < this.#piece.buffer.byteLength) {
      this.#piece = this.buffer = Buffer.from(this.#piece.subarray(at));
      this.start = this.#at = 0;
    }
    return false;
  }

  /** Where the inline command's line at `at` ends, or -1. */
  #line(at: number): number {
    const lineEnd = this.#piece.indexOf(LF, at);
    if ((lineEnd < 0 ? this.#piece.length : lineEnd) - at > this.limits.inlineBytes) {
      throw new ProtocolError("too big inline request");
    }
    return lineEnd;
  }

  /** Turns an inline command into the frame that a client library would have sent; false for an empty line. */
  #inline(line: Buffer, after: number): boolean {
    const args = splitInline(line);
    const [name] = args;
    if (name === undefined) return false;
    this.buffer = encodeCommand(args);
    this.start = 0;
    this.end = this.buffer.length;
    this.#at = after;
    this.argCount = args.length;
    this.rule = name.length > maxNameBytes ? unknownCommand : this.table.find(name, 0, name.length);
    return true;
  }
}

function printable(byte: number): string {
  return byte >= 32 && byte < 127 ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`;
}
