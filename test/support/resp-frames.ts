/** Where the frame that begins at `at` ends, in either protocol; undefined when it isn't complete. */
export function frameEnd(text: string, at: number): number | undefined {
  const lineEnd = text.indexOf("\r\n", at);
  if (lineEnd < 0) return undefined;
  const count = Number(text.slice(at + 1, lineEnd));
  const type = text[at] ?? "";
  if ("+-:_#,(".includes(type)) return lineEnd + 2;
  if ("$=!".includes(type)) {
    if (count < 0) return lineEnd + 2;
    const end = lineEnd + 2 + count + 2;
    return end <= text.length ? end : undefined;
  }
  if ("*~>%|".includes(type)) {
    let end = lineEnd + 2;
    // An attribute comes before the value that it belongs to.
    const items = type === "%" ? count * 2 : type === "|" ? count * 2 + 1 : count;
    for (let i = 0; i < items; i++) {
      const next = frameEnd(text, end);
      if (next === undefined) return undefined;
      end = next;
    }
    return end;
  }
  throw new Error(`not RESP at ${at}: ${JSON.stringify(text.slice(at, at + 40))}`);
}

/** The complete frames at the beginning of a text, and what is left. */
export function splitFrames(text: string): { readonly frames: string[]; readonly rest: string } {
  const frames: string[] = [];
  let at = 0;
  for (;;) {
    const end = at < text.length ? frameEnd(text, at) : undefined;
    if (end === undefined) return { frames, rest: text.slice(at) };
    frames.push(text.slice(at, end));
    at = end;
  }
}

/**
 * A reply as tests write it down. Bulk strings are strings, integers numbers, RESP2's null bulk string is null. Everything
 * else keeps its type's sign: `+OK`, `-ERR …`, `*-1`, `_`, `#t`, `,1.5`; a map is `["%", key, value, …]`, a push
 * `[">", …]`, a set `["~", …]`.
 */
export type Shown = string | number | null | readonly Shown[];

/** Shows one whole frame. */
export function show(frame: string): Shown {
  const lineEnd = frame.indexOf("\r\n");
  const line = frame.slice(0, lineEnd);
  const [type = ""] = line;
  if (type === ":") return Number(line.slice(1));
  if (line === "$-1") return null;
  if (type === "$") return frame.slice(lineEnd + 2, -2);
  if (type === "=" || type === "!") return type + frame.slice(lineEnd + 2, -2);
  if (line === "*-1" || !"*~>%".includes(type)) return line;
  const items = splitFrames(frame.slice(lineEnd + 2)).frames.map(show);
  return type === "*" ? items : [type, ...items];
}

/** The bytes of a command: an array of bulk strings. */
export function frameCommand(args: readonly string[]): string {
  return `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join("")}`;
}
