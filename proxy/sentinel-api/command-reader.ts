import { ProtocolError } from "../resp/protocol-error.ts";
import { splitInline } from "../resp/split-inline.ts";

/** Arguments that one command of this API may have: nobody needs more than a long SUBSCRIBE. */
const maxArgs = 2048;

/** Cuts the bytes of one client into commands, arrays of bulk strings or lines. It keeps at most `maxBytes` of a command. */
export class CommandReader {
  readonly #maxBytes: number;
  #buffer: Buffer = Buffer.alloc(0);
  /** How far the first command is read: bytes, arguments found, and arguments still to come. Nothing is read twice. */
  #at = 0;
  #found: { readonly from: number; readonly to: number }[] = [];
  #missing: number | undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes that are no command yet. */
  get pending(): number {
    return this.#buffer.length;
  }

  push(chunk: Buffer): void {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
  }

  /**
   * The arguments of the next command, copied; undefined until all of it is here. Empty commands are skipped, as in Redis.
   *
   * @throws {ProtocolError} for bytes that are no command, and for one that is too long.
   */
  next(): Buffer[] | undefined {
    for (;;) {
      const args = this.#buffer[0] === 0x2a ? this.#readArray() : this.#readInline();
      if ((args === undefined ? this.#buffer.length : this.#at) > this.#maxBytes) {
        throw new ProtocolError("too big command");
      }
      if (args === undefined) return undefined;
      this.#buffer = this.#buffer.subarray(this.#at);
      this.#at = 0;
      this.#found = [];
      this.#missing = undefined;
      if (args.length > 0) return args;
    }
  }

  #readInline(): Buffer[] | undefined {
    const end = this.#buffer.indexOf(0x0a);
    if (end < 0) return undefined;
    this.#at = end + 1;
    return splitInline(this.#buffer.subarray(0, end));
  }

  #readArray(): Buffer[] | undefined {
    if (this.#missing === undefined) {
      const head = this.#readNumber(1, "invalid multibulk length", -1, maxArgs);
      if (head === undefined) return undefined;
      this.#missing = head.value;
      this.#at = head.end;
    }
    while (this.#missing > 0) {
      const type = this.#buffer[this.#at];
      if (type === undefined) return undefined;
      if (type !== 0x24) throw new ProtocolError(`expected '$', got '${String.fromCharCode(type)}'`);
      const length = this.#readNumber(this.#at + 1, "invalid bulk length", 0, this.#maxBytes);
      if (length === undefined || this.#buffer.length < length.end + length.value + 2) return undefined;
      this.#at = length.end + length.value + 2;
      this.#found.push({ from: length.end, to: this.#at - 2 });
      this.#missing--;
    }
    return this.#found.map(({ from, to }) => Buffer.from(this.#buffer.subarray(from, to)));
  }

  #readNumber(
    at: number,
    problem: string,
    min: number,
    max: number,
  ): { value: number; end: number } | undefined {
    // A number has 32 characters at most: the rest of the buffer needn't be looked at.
    const line = this.#buffer.toString("latin1", at, at + 33);
    const end = line.indexOf("\r");
    if (end < 0) {
      if (line.length > 32) throw new ProtocolError(problem);
      return undefined;
    }
    const value = Number(line.slice(0, end));
    if (!/^-?\d+$/.test(line.slice(0, end)) || value < min || value > max) throw new ProtocolError(problem);
    return this.#buffer.length < at + end + 2 ? undefined : { value, end: at + end + 2 };
  }
}
