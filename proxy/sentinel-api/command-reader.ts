import { ProtocolError } from "../../runtime/protocol-error.ts";
import { CommandTable } from "../commands/command-table.ts";
import { decodeCommand } from "../resp/command-frame.ts";
import { unauthenticatedCommandLimits } from "../resp/command-limits.ts";
import { CommandScanner } from "../resp/command-scanner.ts";

/** Bytes of one command. */
const maxBytes = 64 * 1024;
/** Nobody needs more arguments than a long SUBSCRIBE. */
const limits = { args: 2048, argBytes: maxBytes, inlineBytes: maxBytes, commandBytes: maxBytes };
/** This API has its own rules. */
const noTable = new CommandTable([]);

/** Cuts the bytes of one client into commands, and keeps at most 64 KiB of one that isn't complete. */
export class CommandReader {
  readonly #scanner = new CommandScanner(noTable, unauthenticatedCommandLimits);

  /** A command has begun and isn't complete. */
  get partial(): boolean {
    return this.#scanner.partial;
  }

  push(chunk: Buffer): void {
    this.#scanner.push(chunk);
  }

  /**
   * The arguments of the next command, copied; undefined until all of it is here.
   *
   * @param authenticated until then only a few short arguments are accepted, as in Redis.
   * @throws {ProtocolError} for bytes that are no command, and for one that is too long.
   */
  next(authenticated: boolean): Buffer[] | undefined {
    const scanner = this.#scanner;
    scanner.limits = authenticated ? limits : unauthenticatedCommandLimits;
    const found = scanner.next();
    const earlier = found ? (scanner.earlier ?? []) : [];
    const last = found ? scanner.buffer.subarray(scanner.start, scanner.end) : undefined;
    const bytes = last === undefined ? scanner.partialBytes : sizeOf([...earlier, last]);
    if (bytes > maxBytes) throw new ProtocolError("too big command");
    return last && decodeCommand(Buffer.concat([...earlier, last]));
  }
}

function sizeOf(pieces: readonly Buffer[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}
