import { ProtocolError } from "./protocol-error.ts";

const quoted: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, b: 8, a: 7 };

/**
 * The arguments of an inline command, with Redis' quoting: "double quotes" know \n, \r, \t, \b, \a, \xHH and \ before
 * any other character; 'single quotes' know \' only.
 *
 * @throws {ProtocolError} when a quote isn't closed, or isn't followed by a space.
 */
export function splitInline(line: Buffer): Buffer[] {
  const text = line.toString("latin1");
  const args: Buffer[] = [];
  let at = 0;
  for (;;) {
    while (at < text.length && isSpace(text[at])) at++;
    if (at >= text.length) return args;
    const bytes: number[] = [];
    let quote = "";
    for (;;) {
      const char = text[at];
      if (char === undefined) {
        if (quote !== "") throw new ProtocolError("unbalanced quotes in request");
        break;
      }
      if (quote === "") {
        if (isSpace(char)) break;
        if (char === '"' || char === "'") quote = char;
        else bytes.push(char.charCodeAt(0));
        at++;
      } else if (char === quote) {
        at++;
        if (at < text.length && !isSpace(text[at])) throw new ProtocolError("unbalanced quotes in request");
        break;
      } else if (char === "\\" && at + 1 < text.length) {
        at += readEscape(text, at, quote, bytes);
      } else {
        bytes.push(char.charCodeAt(0));
        at++;
      }
    }
    args.push(Buffer.from(bytes));
  }
}

/** Appends what the escape at `at` stands for, and gives its length. */
function readEscape(text: string, at: number, quote: string, bytes: number[]): number {
  const next = text[at + 1] ?? "";
  if (quote === "'") {
    bytes.push((next === "'" ? next : "\\").charCodeAt(0));
    return next === "'" ? 2 : 1;
  }
  const hex = /^x[0-9a-fA-F]{2}/.exec(text.slice(at + 1, at + 4));
  if (hex !== null) {
    bytes.push(Number.parseInt(hex[0].slice(1), 16));
    return 4;
  }
  bytes.push(quoted[next] ?? next.charCodeAt(0));
  return 2;
}

/** C's isspace(), and NUL, where Redis ends the line. */
function isSpace(char: string | undefined): boolean {
  return char !== undefined && /[ \t\n\v\f\r\0]/.test(char);
}
