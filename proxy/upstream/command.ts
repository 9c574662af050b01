import type { CommandRule } from "../commands/command-rule.ts";
import { decodeCommand, encodeCommand } from "../resp/command-frame.ts";

/** What is known of a command that came back. */
export interface Attempts {
  /** When it came back first, ms of the monotonic clock. */
  readonly sinceMs: number;
  /** How often it came back, for whatever reason. */
  readonly returns: number;
  /** How often its connection was lost while the server may have been executing it. */
  readonly losses: number;
  /** It was, or is, on its way while nothing else was that could be the cause of a loss. */
  readonly alone: boolean;
  /** The master's term at the last loss. */
  readonly lostIn: number | undefined;
}

/** Decoded arguments of a command with no more than these are kept: each takes 100 bytes, and a command may have a million and wait for hours. */
const keptArgs = 64;

/** One command with its bytes, as it waits for its turn or is put back. Never changed: what is like it in all but one thing is another one. */
export class Command {
  readonly rule: CommandRule;
  readonly argCount: number;
  /** The bytes, in order. More than one piece only when a big command came in pieces. */
  readonly pieces: readonly Buffer[];
  /** Unset: it never came back. */
  readonly attempts: Attempts | undefined;
  #args: readonly Buffer[] | undefined;

  constructor(rule: CommandRule, argCount: number, pieces: readonly Buffer[], attempts?: Attempts) {
    this.rule = rule;
    this.argCount = argCount;
    this.pieces = pieces;
    this.attempts = attempts;
  }

  get size(): number {
    return bytesOf(this.pieces);
  }

  /** The bytes in one piece. */
  get frame(): Buffer {
    const [only] = this.pieces;
    return this.pieces.length === 1 && only !== undefined ? only : Buffer.concat(this.pieces);
  }

  /** Its name and arguments, as views of its bytes. */
  get args(): readonly Buffer[] {
    if (this.#args !== undefined) return this.#args;
    const args = decodeCommand(this.frame);
    if (args.length <= keptArgs) this.#args = args;
    return args;
  }

  /** One of {@link args}; those behind it aren't decoded. */
  arg(index: number): Buffer | undefined {
    return this.#args?.[index] ?? decodeCommand(this.frame, index + 1)[index];
  }

  withRule(rule: CommandRule): Command {
    return rule === this.rule ? this : new Command(rule, this.argCount, this.pieces, this.attempts);
  }

  /** @param attempts undefined: it never came back. */
  withAttempts(attempts: Attempts | undefined): Command {
    return new Command(this.rule, this.argCount, this.pieces, attempts);
  }

  /** The same with other bytes. */
  withArgs(args: readonly (string | Buffer)[]): Command {
    return new Command(this.rule, args.length, [encodeCommand(args)], this.attempts);
  }
}

/** The bytes of some pieces together. */
export function bytesOf(pieces: readonly Buffer[]): number {
  let bytes = 0;
  for (const { length } of pieces) bytes += length;
  return bytes;
}
