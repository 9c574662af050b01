/** What a whole stream of a server's bytes means. Texts are latin1: one character a byte. */
export interface ParsedReplies {
  /** Each whole reply: its bytes, and the type of what it is about, behind attributes. */
  readonly replies: readonly { readonly type: string; readonly bytes: string }[];
  readonly broken: boolean;
  /** Bytes of a reply that has begun; 0 for a broken stream. */
  readonly rest: number;
}

class Incomplete extends Error {}
class Broken extends Error {}

/** The replies in a server's bytes, by descending into them: the measure of the scanner, which only counts. */
export function parseReplies(text: string): ParsedReplies {
  const replies: { readonly type: string; readonly bytes: string }[] = [];
  for (let at = 0; at < text.length; ) {
    try {
      const { type, end } = parseValue(text, at, undefined);
      replies.push({ type, bytes: text.slice(at, end) });
      at = end;
    } catch (error) {
      if (error instanceof Broken) return { replies, broken: true, rest: 0 };
      if (error instanceof Incomplete) return { replies, broken: false, rest: text.length - at };
      throw error;
    }
  }
  return { replies, broken: false, rest: 0 };
}

/** @param top type of the whole reply; undefined: this is where it begins. */
function parseValue(
  text: string,
  start: number,
  top: string | undefined,
): { readonly type: string; readonly end: number } {
  const type = text[start];
  if (type === undefined) throw new Incomplete();
  const lineEnd = text.indexOf("\r", start + 1);
  if (lineEnd < 0 || lineEnd + 1 === text.length) {
    // Texts may have any length, other lines not: nothing would ever come of them.
    if (text.length - start > 4096 && !"+-:,(".includes(type)) throw new Broken();
    throw new Incomplete();
  }
  if (text[lineEnd + 1] !== "\n") throw new Broken();
  const line = text.slice(start + 1, lineEnd);
  const end = lineEnd + 2;
  if ("+-:,#(_".includes(type)) return { type, end };
  if ("$!=".includes(type)) {
    const length = lengthOf(line, true);
    if (length < 0) return { type, end };
    if (end + length + 2 > text.length) throw new Incomplete();
    return { type, end: end + length + 2 };
  }
  const whole = top ?? type;
  if (type === ">" && whole !== ">") {
    // A message in the middle of a reply is none of its values: the value comes behind it.
    return parseValue(text, skipValues(text, end, Math.max(lengthOf(line, true), 0), whole), whole);
  }
  if ("*~>".includes(type)) {
    return { type, end: skipValues(text, end, Math.max(lengthOf(line, true), 0), whole) };
  }
  if (type === "%") return { type, end: skipValues(text, end, 2 * lengthOf(line, false), whole) };
  if (type === "|") {
    // What it is about is the reply proper, when the attribute stands before the whole.
    const behind = skipValues(text, end, 2 * lengthOf(line, false), whole);
    return parseValue(text, behind, top);
  }
  throw new Broken();
}

function skipValues(text: string, start: number, count: number, top: string): number {
  let at = start;
  for (let i = 0; i < count; i++) at = parseValue(text, at, top).end;
  return at;
}

function lengthOf(line: string, mayBeNull: boolean): number {
  if (line === "-1" && mayBeNull) return -1;
  if (!/^\d{1,32}$/.test(line) || Number(line) > Number.MAX_SAFE_INTEGER) throw new Broken();
  return Number(line);
}
