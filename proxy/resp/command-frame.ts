/** Encodes a command as clients send it: an array of bulk strings. */
export function encodeCommand(args: readonly (string | Buffer)[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${args.length}\r\n`)];
  for (const arg of args) {
    const bytes = typeof arg === "string" ? Buffer.from(arg) : arg;
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n"));
  }
  return Buffer.concat(parts);
}

/**
 * The arguments of one whole command frame, as views of its bytes.
 *
 * @param frame a complete array of bulk strings, as a scanner has found it.
 * @param most no more arguments than these: a view costs more than its bytes, and a frame may have a million.
 */
export function decodeCommand(frame: Buffer, most = Number.POSITIVE_INFINITY): Buffer[] {
  const args: Buffer[] = [];
  let at = frame.indexOf("\r\n") + 2;
  while (at < frame.length && args.length < most) {
    const lineEnd = frame.indexOf("\r\n", at);
    const length = Number(frame.toString("latin1", at + 1, lineEnd));
    args.push(frame.subarray(lineEnd + 2, lineEnd + 2 + length));
    at = lineEnd + 2 + length + 2;
  }
  return args;
}

/** An argument in upper case, to compare it with an option's name. */
export function upper(arg: Buffer | undefined): string {
  return arg === undefined ? "" : arg.toString("latin1").toUpperCase();
}
