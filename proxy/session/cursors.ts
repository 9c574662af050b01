import { encodeError } from "../resp/encode-reply.ts";
import { mostTags } from "../upstream/server-process.ts";

/**
 * Where a cursor has its process's number: above the 36 bits that a table of 2^36 places needs (512 GiB for its pointers alone), and
 * below 2^53, which is what a program can keep in a floating-point number. Redis sets no bit of a cursor beyond its table's size.
 */
const place = 2 ** 36;

const tooBig = encodeError(
  "ERR the proxy can't mark a cursor of so big a table: what it iterates over can only be read directly",
);

/**
 * The cursor that a process gets for the one that a client has sent: where it is of another process's tables, the iteration begins
 * anew, so that nothing of it is missed. What carries no number, as a 0, passes as it is.
 *
 * @param tag of the process that is asked; 0: not known.
 */
export function cursorFor(sent: string, tag: number): string {
  if (sent.length < 11 || !/^[1-9]\d{10,15}$/.test(sent)) return sent;
  const cursor = Number(sent);
  if (cursor < place || cursor > Number.MAX_SAFE_INTEGER) return sent;
  return tag !== 0 && Math.floor(cursor / place) === tag ? String(cursor % place) : "0";
}

/** A reply to SCAN and the like, or its beginning, with the process's number in its cursor. @param tag 0: not known. */
export function markCursor(reply: Buffer, tag: number): Buffer {
  // Most have no cursor: `*2`, `$1`, `0`.
  if (tag === 0 || tag > mostTags || (reply[5] === 49 && reply[8] === 48)) return reply;
  const [, length, cursor] = /^\*2\r\n\$(\d+)\r\n(\d+)\r\n/.exec(reply.toString("latin1", 0, 64)) ?? [];
  if (length === undefined || cursor === undefined || cursor === "0") return reply;
  if (Number(cursor) >= place) return tooBig;
  const marked = String(tag * place + Number(cursor));
  const rest = reply.subarray(`*2\r\n$${length}\r\n${cursor}\r\n`.length);
  return Buffer.concat([Buffer.from(`*2\r\n$${marked.length}\r\n${marked}\r\n`), rest]);
}
