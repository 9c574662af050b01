import { ProtocolError } from "../../runtime/protocol-error.ts";

const [CR, LF] = [13, 10];
const code = (char: string): number => char.charCodeAt(0);
const [simple, err, integer, double, bool, bigNumber, nil] = ["+", "-", ":", ",", "#", "(", "_"].map(code);
const [bulk, bulkError, verbatim] = ["$", "!", "="].map(code);
const [array, set, push, map, attribute] = ["*", "~", ">", "%", "|"].map(code);
/** A line up to this size is kept until it is complete. A longer one can only be the text of a script's reply. */
const keepLineUpTo = 4096;
/** A number line never needs more. */
const maxNumberBytes = 32;

/**
 * Finds the boundaries of replies in the server's bytes, whatever the pieces in which they come, without decoding or
 * copying them. Nesting is counted, not descended into.
 *
 * Push a piece, then call {@link next} until it gives false. After true, the reply is `earlier` followed by
 * `buffer[start, end)`, and `type` is its first byte.
 */
export class ReplyScanner {
  buffer: Buffer = Buffer.alloc(0);
  start = 0;
  end = 0;
  /** The first byte of the reply: `+`, `-`, `:`, `$`, … An attribute belongs to the reply that it precedes. */
  type = 0;
  /** The pieces of a reply that began in earlier pieces; undefined when all of it is in `buffer`. */
  earlier: Buffer[] | undefined;
  earlierBytes = 0;
  #at = 0;
  /** Values that are still to come until the reply is complete; 0 between two replies. */
  #valuesLeft = 0;
  #bodyLeft = 0;
  /** What has come last is the beginning of a long line. */
  #inLine = false;
  #attribute = false;

  /** Takes the next piece; all replies of the earlier ones must have been taken. */
  push(piece: Buffer): void {
    this.buffer =
      this.#at === this.buffer.length ? piece : Buffer.concat([this.buffer.subarray(this.#at), piece]);
    this.#at = 0;
    this.start = 0;
  }

  /**
   * Gives away what has come of a reply that isn't complete, so that it needn't be kept; the rest of that reply is found
   * as if it were all of it.
   */
  takeEarlier(): Buffer[] {
    const pieces = this.earlier ?? [];
    this.earlier = undefined;
    this.earlierBytes = 0;
    return pieces;
  }

  /** Goes on to the next reply; false when more bytes are needed. @throws {ProtocolError} when the bytes are no reply. */
  next(): boolean {
    const { buffer } = this;
    const size = buffer.length;
    let at = this.#at;
    if (this.#valuesLeft === 0) {
      this.start = at;
      this.earlier = undefined;
      this.earlierBytes = 0;
      if (at >= size) return false;
      this.type = buffer[at] ?? 0;
      this.#attribute = this.type === attribute;
      this.#valuesLeft = 1;
    }
    if (this.#bodyLeft > 0) {
      const step = Math.min(this.#bodyLeft, size - at);
      at += step;
      this.#bodyLeft -= step;
      if (this.#bodyLeft > 0) return this.#stop(at);
      this.#valuesLeft--;
    }
    if (this.#inLine) {
      const lineEnd = buffer.indexOf(CR, at);
      if (lineEnd < 0) return this.#stop(size);
      if (lineEnd + 1 >= size) return this.#stop(lineEnd);
      if (buffer[lineEnd + 1] !== LF) throw new ProtocolError("the server sent a line without an end");
      at = lineEnd + 2;
      this.#inLine = false;
      this.#valuesLeft--;
    }
    while (this.#valuesLeft > 0) {
      if (at >= size) return this.#stop(at);
      const type = buffer[at];
      // The attribute's own keys and values come first.
      if (this.#attribute && this.#valuesLeft === 1 && type !== attribute) {
        this.type = type ?? 0;
        this.#attribute = false;
      }
      let lineEnd = at + 1;
      if (type === simple || type === err) {
        // Texts can be long: the search in native code is faster.
        lineEnd = size - at > 64 && buffer[at + 3] !== CR ? buffer.indexOf(CR, at) : this.#scanLine(at);
      } else lineEnd = this.#scanLine(at);
      if (lineEnd < 0 || lineEnd + 1 >= size) {
        if (size - at <= keepLineUpTo) return this.#stop(at);
        if (!isText(type)) throw new ProtocolError("the server sent an endless line");
        this.#inLine = true;
        return this.#stop(lineEnd < 0 ? size : lineEnd);
      }
      if (buffer[lineEnd + 1] !== LF) throw new ProtocolError("the server sent a line without an end");
      const after = lineEnd + 2;
      switch (type) {
        case simple:
        case err:
        case integer:
        case double:
        case bool:
        case bigNumber:
        case nil:
          this.#valuesLeft--;
          at = after;
          break;
        case bulk:
        case bulkError:
        case verbatim: {
          const length = this.#length(at + 1, lineEnd);
          at = after;
          if (length < 0) {
            this.#valuesLeft--;
            break;
          }
          if (at + length + 2 > size) {
            this.#bodyLeft = at + length + 2 - size;
            return this.#stop(size);
          }
          at += length + 2;
          this.#valuesLeft--;
          break;
        }
        case push:
          // Redis 7.0 tells a client what it publishes to itself in the middle of EXEC's reply: that is none of its values.
          if (this.type !== push) this.#valuesLeft++;
          this.#valuesLeft += Math.max(this.#length(at + 1, lineEnd), 0) - 1;
          at = after;
          break;
        case array:
        case set:
          this.#valuesLeft += Math.max(this.#length(at + 1, lineEnd), 0) - 1;
          at = after;
          break;
        case map:
          this.#valuesLeft += 2 * this.#count(at + 1, lineEnd) - 1;
          at = after;
          break;
        case attribute:
          // What it is about comes behind it and is the reply proper.
          this.#valuesLeft += 2 * this.#count(at + 1, lineEnd);
          at = after;
          break;
        default:
          throw new ProtocolError(`the server sent a reply of the unknown type ${type}`);
      }
    }
    this.end = at;
    this.#at = at;
    return true;
  }

  #scanLine(at: number): number {
    const { buffer } = this;
    for (let i = at + 1; i < buffer.length; i++) if (buffer[i] === CR) return i;
    return -1;
  }

  #length(at: number, lineEnd: number): number {
    const { buffer } = this;
    let value = 0;
    let i = at;
    const negative = buffer[i] === 45;
    if (negative) i++;
    if (lineEnd - i > maxNumberBytes) throw new ProtocolError("the server sent a length that is too big");
    if (i === lineEnd) throw new ProtocolError("the server sent a length without digits");
    for (; i < lineEnd; i++) {
      const digit = (buffer[i] ?? 0) - 48;
      if (digit < 0 || digit > 9) throw new ProtocolError("the server sent a length that is no number");
      value = value * 10 + digit;
    }
    if (value > Number.MAX_SAFE_INTEGER) throw new ProtocolError("the server sent a length that is too big");
    // -1 stands for null, and no other length is negative.
    if (negative && (value !== 1 || lineEnd - at !== 2))
      throw new ProtocolError("the server sent a negative length");
    return negative ? -1 : value;
  }

  #count(at: number, lineEnd: number): number {
    const count = this.#length(at, lineEnd);
    if (count < 0) throw new ProtocolError("the server sent a negative length");
    return count;
  }

  #stop(at: number): false {
    if (at > this.start) {
      this.earlier ??= [];
      this.earlier.push(this.buffer.subarray(this.start, at));
      this.earlierBytes += at - this.start;
    }
    this.start = at;
    this.#at = at;
    return false;
  }
}

/** Whether the line is the whole value, and not the length of what follows. */
function isText(type: number | undefined): boolean {
  return type === simple || type === err || type === bigNumber || type === integer || type === double;
}
