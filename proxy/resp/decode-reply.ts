/** An error reply, as a value: the proxy's own questions look at it. */
export interface ErrorReply {
  readonly error: string;
}

/** A reply as plain data: numbers, strings, arrays (maps flattened), null, or an {@link ErrorReply}. */
export type PlainReply = null | number | string | readonly PlainReply[] | ErrorReply;

/**
 * Decodes one whole reply of either protocol. For the proxy's own questions and for Pub/Sub confirmations, not for the
 * clients' data.
 */
export function decodeReply(bytes: Buffer): PlainReply {
  return new Reader(bytes).read();
}

/** Whether a reply is an error. */
export function isErrorReply(reply: PlainReply): reply is ErrorReply {
  return typeof reply === "object" && reply !== null && "error" in reply;
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  read(): PlainReply {
    const type = String.fromCharCode(this.#bytes[this.#at] ?? 0);
    const lineEnd = this.#bytes.indexOf("\r\n", this.#at);
    const line = this.#bytes.toString("latin1", this.#at + 1, lineEnd);
    this.#at = lineEnd + 2;
    switch (type) {
      case "+":
      case ",":
      case "(":
        return line;
      case "-":
        return { error: line };
      case ":":
        return Number(line);
      case "#":
        return line === "t" ? 1 : 0;
      case "$":
      case "=":
      case "!":
        return this.#body(Number(line), type);
      case "%":
        return this.#list(2 * Number(line));
      case "|":
        this.#list(2 * Number(line));
        return this.read();
      case "*":
      case "~":
      case ">":
        return Number(line) < 0 ? null : this.#list(Number(line));
      default:
        return null;
    }
  }

  #body(length: number, type: string): PlainReply {
    if (length < 0) return null;
    const text = this.#bytes.toString("utf8", this.#at, this.#at + length);
    this.#at += length + 2;
    return type === "!" ? { error: text } : text;
  }

  #list(length: number): PlainReply[] {
    return Array.from({ length }, () => {
      // A message in the middle of a list is none of its values.
      while (this.#bytes[this.#at] === 62) this.read();
      return this.read();
    });
  }
}
