import type { CommandLimits } from "../../../../proxy/resp/command-limits.ts";

/** What a whole stream of a client's bytes means. Texts are latin1: one character a byte. */
export interface ParsedCommands {
  /** The arguments of each whole command, in order. */
  readonly commands: readonly (readonly string[])[];
  /** The bytes behind the last command are no command: the connection ends. */
  readonly broken: boolean;
  /** Bytes of a command that has begun; 0 for a broken stream. */
  readonly rest: number;
}

type Step = { readonly end: number; readonly args: readonly string[] } | "broken" | "incomplete";

/**
 * The commands in a client's bytes, by Redis' rules and the proxy's limits: slow and simple, with texts and regular
 * expressions, so that it has nothing in common with the scanner that it is the measure of.
 */
export function parseCommands(text: string, limits: CommandLimits): ParsedCommands {
  const commands: (readonly string[])[] = [];
  for (let at = 0; at < text.length; ) {
    const step = text[at] === "*" ? parseArray(text, at, limits) : parseInline(text, at, limits);
    if (step === "broken") return { commands, broken: true, rest: 0 };
    if (step === "incomplete") return { commands, broken: false, rest: text.length - at };
    if (step.args.length > 0) commands.push(step.args);
    at = step.end;
  }
  return { commands, broken: false, rest: 0 };
}

function parseArray(text: string, start: number, limits: CommandLimits): Step {
  const count = parseNumber(text, start);
  if (typeof count === "string") return count;
  if (count.value > limits.args) return "broken";
  const args: string[] = [];
  let at = count.end;
  for (let i = 0; i < count.value; i++) {
    if (at >= text.length) return "incomplete";
    if (text[at] !== "$") return "broken";
    const length = parseNumber(text, at);
    if (typeof length === "string") return length;
    if (length.value < 0 || length.value > limits.argBytes) return "broken";
    const bodyEnd = length.end + length.value;
    if (bodyEnd + 2 - start > limits.commandBytes) return "broken";
    // Redis skips two bytes behind an argument, whatever they are.
    if (bodyEnd + 2 > text.length) return "incomplete";
    args.push(text.slice(length.end, bodyEnd));
    at = bodyEnd + 2;
  }
  return { end: at, args };
}

/** The number line whose type stands at `start`: at most 32 bytes, no leading zeros, and an end as it should be. */
function parseNumber(
  text: string,
  start: number,
): { readonly end: number; readonly value: number } | "broken" | "incomplete" {
  const [digits = ""] = /^-?\d*/.exec(text.slice(start + 1, start + 100)) ?? [];
  if (digits.length > 31) return "broken";
  const end = start + 1 + digits.length;
  if (end === text.length) return "incomplete";
  if (!/^(0|-?[1-9]\d*)$/.test(digits) || text[end] !== "\r") return "broken";
  if (end + 1 === text.length) return "incomplete";
  return text[end + 1] === "\n" ? { end: end + 2, value: Number(digits) } : "broken";
}

function parseInline(text: string, start: number, limits: CommandLimits): Step {
  const lineEnd = text.indexOf("\n", start);
  const length = (lineEnd < 0 ? text.length : lineEnd) - start;
  if (length > limits.inlineBytes) return "broken";
  if (lineEnd < 0) return "incomplete";
  const args = splitLine(text.slice(start, lineEnd));
  return args === undefined ? "broken" : { end: lineEnd + 1, args };
}

/**
 * One argument: plain characters, then perhaps a quoted part, behind which there is nothing or a space. Redis never answers to
 * a line with a NUL; for the proxy it is a space.
 */
const argument =
  /^([^ \t\n\v\f\r\0"']*)(?:"((?:\\[\s\S]|[^"\\])*)"|'((?:\\'|\\(?!')|[^'\\])*)')?(?=[ \t\n\v\f\r\0]|$)/;

/** Redis' sdssplitargs(); undefined when quotes aren't balanced. */
export function splitLine(line: string): readonly string[] | undefined {
  let left = trimSpaces(line);
  const args: string[] = [];
  while (left !== "") {
    const match = argument.exec(left);
    if (match === null) return undefined;
    const [all, plain = "", double = "", single = ""] = match;
    args.push(plain + unquote(double) + single.replaceAll("\\'", "'"));
    left = trimSpaces(left.slice(all.length));
  }
  return args;
}

function trimSpaces(text: string): string {
  return text.replace(/^[ \t\n\v\f\r\0]+/, "");
}

function unquote(text: string): string {
  return text.replace(/\\(?:x([0-9a-fA-F]{2})|([\s\S]))/g, (_, hex: string | undefined, char: string) =>
    hex === undefined
      ? ({ n: "\n", r: "\r", t: "\t", b: "\b", a: "\x07" }[char] ?? char)
      : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
