import { ProtocolError } from "../resp/protocol-error.ts";
import { splitInline } from "../resp/split-inline.ts";

/** Arguments that one command of this API may have: nobody needs more than a long SUBSCRIBE. */
const maxArgs = 2048;

/** Cuts the bytes of one client into commands, arrays of bulk strings or lines. It keeps at most `maxBytes` of a command. */
export class CommandReader {
  readonly #maxBytes: number;
  #buffer: Buffer = Buffer.alloc(0);

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
      const read = this.#buffer[0] === 0x2a ? this.#readArray() : this.#readInline();
      if (read === undefined) {
        if (this.#buffer.length > this.#maxBytes) throw new ProtocolError("too big command");
        return undefined;
      }
      if (read.end > this.#maxBytes) throw new ProtocolError("too big command");
      this.#buffer = this.#buffer.subarray(read.end);
      if (read.args.length > 0) return read.args.map((arg) => Buffer.from(arg));
    }
  }

  #readInline(): { args: Buffer[]; end: number } | undefined {
    const end = this.#buffer.indexOf(0x0a);
    if (end < 0) return undefined;
    return { args: splitInline(this.#buffer.subarray(0, end)), end: end + 1 };
  }

  #readArray(): { args: Buffer[]; end: number } | undefined {
    const head = this.#readNumber(1, "invalid multibulk length", -1, maxArgs);
    if (head === undefined) return undefined;
    const args: Buffer[] = [];
    let at = head.end;
    while (args.length < head.value) {
      const type = this.#buffer[at];
      if (type === undefined) return undefined;
      if (type !== 0x24) throw new ProtocolError(`expected '$', got '${String.fromCharCode(type)}'`);
      const length = this.#readNumber(at + 1, "invalid bulk length", 0, this.#maxBytes);
      if (length === undefined || this.#buffer.length < length.end + length.value + 2) return undefined;
      args.push(this.#buffer.subarray(length.end, length.end + length.value));
      at = length.end + length.value + 2;
    }
    return { args, end: at };
  }

  #readNumber(
    at: number,
    problem: string,
    min: number,
    max: number,
  ): { value: number; end: number } | undefined {
    const end = this.#buffer.indexOf(0x0d, at);
    const text = this.#buffer.toString("latin1", at, end < 0 ? undefined : end);
    const value = Number(text);
    const wrong = end >= 0 && !(/^-?\d+$/.test(text) && value >= min && value <= max);
    if (wrong || text.length > 32) throw new ProtocolError(problem);
    return end < 0 || this.#buffer.length < end + 2 ? undefined : { value, end: end + 2 };
  }
}
