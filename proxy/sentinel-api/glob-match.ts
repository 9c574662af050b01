/**
 * Whether a text matches a pattern of PSUBSCRIBE: `*`, `?`, `[a-c]`, `[^a]` and `\` before any character, as in Redis.
 * Its time grows with pattern × text at most: Redis' own recursion could be made to run for minutes (CVE-2024-31228).
 */
export function globMatches(pattern: string, text: string): boolean {
  let [p, t] = [0, 0];
  /** Where to go on when a guess for the last `*` was wrong: it then takes one character more. */
  let star: { readonly after: number; took: number } | undefined;
  while (t < text.length) {
    const one = pattern[p] === "*" ? undefined : matchOne(pattern, p, text.charCodeAt(t));
    if (pattern[p] === "*") {
      star = { after: ++p, took: t };
    } else if (one !== undefined) {
      p = one;
      t++;
    } else if (star !== undefined) {
      p = star.after;
      t = ++star.took;
    } else {
      return false;
    }
  }
  while (pattern[p] === "*") p++;
  return p >= pattern.length;
}

/** Where the pattern goes on after one character that matches, or undefined. */
function matchOne(pattern: string, at: number, code: number): number | undefined {
  const char = pattern[at];
  if (char === undefined) return undefined;
  if (char === "?") return at + 1;
  if (char === "[") return matchClass(pattern, at + 1, code);
  const literal = char === "\\" && at + 1 < pattern.length ? at + 1 : at;
  return pattern.charCodeAt(literal) === code ? literal + 1 : undefined;
}

/** A class ends at `]` or, as in Redis, with the pattern. */
function matchClass(pattern: string, begin: number, code: number): number | undefined {
  const negated = pattern[begin] === "^";
  let at = negated ? begin + 1 : begin;
  let found = false;
  while (at < pattern.length && pattern[at] !== "]") {
    if (pattern[at] === "\\" && at + 1 < pattern.length) {
      at++;
      found ||= pattern.charCodeAt(at) === code;
    } else if (pattern[at + 1] === "-" && at + 2 < pattern.length) {
      const [a, b] = [pattern.charCodeAt(at), pattern.charCodeAt(at + 2)];
      found ||= Math.min(a, b) <= code && code <= Math.max(a, b);
      at += 2;
    } else {
      found ||= pattern.charCodeAt(at) === code;
    }
    at++;
  }
  return found !== negated ? at + 1 : undefined;
}
