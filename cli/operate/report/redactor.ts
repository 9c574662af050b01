import { createHash, randomBytes } from "node:crypto";
import { namesSecret, privateKeys, type SecretPattern, secretsInLine } from "./secret-patterns.ts";
import { type Leaf, mapLeaves } from "./walk-object.ts";

/** What stands in the place of a secret. */
export const hidden = "[hidden]";

/** A shorter one would be found, and hidden, in words that are none. */
const shortest = 6;

/** Words and numbers that stand where a secret may stand. */
const noSecret = /^(?:\d{1,9}|required|default|disabled|invalid|\[hidden\])$/i;

/** More are hidden where they are recognized, but not everywhere: each one makes the search slower. */
const atMost = 500;

/** A password of the product has 40 hexadecimal digits, its hash and a seed 64; so have run ids. An image's digest is public. */
const hexToken = /(?<![0-9a-z])(?<!sha256:)(?:[0-9a-f]{64}|[0-9a-f]{40})(?![0-9a-z])/gi;

/** Long enough for one of the product's passwords, with or without a line end. */
const base64Token = /(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{54,56}={0,2}(?![A-Za-z0-9+/=])/g;

/**
 * Hides passwords and keys. In two passes: what is recognized by its surroundings anywhere is then hidden everywhere, also where nothing
 * tells that it is one. Run ids look like the product's passwords: each gets a name that is the same in the whole report.
 */
export class Redactor {
  readonly #known = new Set<string>();
  /** Nobody finds out by trying what has become `id-…`. */
  readonly #salt = randomBytes(16);

  /** Takes a secret that is known to be one. */
  add(secret: string): void {
    for (const part of secret.includes("-----BEGIN ") ? keyLines(secret) : [secret]) {
      if (this.#known.size < atMost && part.length >= shortest && !noSecret.test(part)) this.#known.add(part);
    }
  }

  /** First pass: finds secrets in a document. */
  learn(content: string | object): void {
    this.#map(content, (secret) => this.add(secret));
  }

  /** Second pass: the document without them. */
  redact<T extends string | object>(content: T): T {
    const hideKnown = hiderOf(new Set([...this.#known].flatMap(formsOf)));
    const byValue = (text: string): string =>
      hideKnown(text)
        .replace(hexToken, (token) => this.#nameOf(token))
        .replace(base64Token, (token) =>
          /^[0-9a-f]{40}\s*$/.test(Buffer.from(token, "base64").toString("latin1")) ? hidden : token,
        );
    return this.#map(content, () => undefined, byValue) as T;
  }

  #map(
    content: string | object,
    found: (secret: string) => void,
    finish: (text: string) => string = (text) => text,
  ): string | object {
    const ofText = (text: string): string => {
      const whole = parseJson(text);
      if (whole !== undefined) return JSON.stringify(ofObject(whole));
      // Before the lines are looked at, whose patterns would leave a part of it.
      const first = finish(replaceAll(text, privateKeys, found));
      return finish(first.split("\n").map(ofLine).join("\n"));
    };
    const ofLine = (line: string): string => {
      const json = parseJson(line);
      return json === undefined ? replaceAll(line, secretsInLine, found) : JSON.stringify(ofObject(json));
    };
    const ofLeaf = ({ value, meanings }: Leaf): string | number => {
      if (value === "" || !meanings.some(namesSecret)) {
        return typeof value === "string" ? ofText(value) : value;
      }
      found(String(value));
      return hidden;
    };
    const ofObject = (object: object): unknown => mapLeaves(object, ofLeaf, ofText);
    return typeof content === "string" ? ofText(content) : (ofObject(content) as object);
  }

  #nameOf(token: string): string {
    return `id-${createHash("sha256").update(this.#salt).update(token.toLowerCase()).digest("hex").slice(0, 10)}`;
  }
}

function replaceAll(
  text: string,
  patterns: readonly SecretPattern[],
  found: (secret: string) => void,
): string {
  return patterns.reduce(
    (rest, { pattern, weak }) =>
      rest.replace(pattern, (match: string, ...others: unknown[]) => {
        const groups = others.at(-1);
        const secret = typeof groups === "object" ? (groups as { secret?: string } | null)?.secret : match;
        if (secret === undefined || secret === "" || secret === hidden) return match;
        // It may be the next word of a sentence: "AUTH failed". Hidden here, but not everywhere.
        if (!(weak && /^[a-z]+[.,:;]?$/.test(secret))) candidatesOf(secret).forEach(found);
        const at = match.lastIndexOf(secret);
        return `${match.slice(0, at)}${hidden}${match.slice(at + secret.length)}`;
      }),
    text,
  );
}

/** `a=b,c=d` may be one password, or one and something else. */
function candidatesOf(secret: string): string[] {
  const [head = ""] = secret.split(/[,;&})\]"'\\]/);
  return [secret, head, decoded(secret), secret.replace(/[.,:;]$/, "")];
}

/** How a secret may be written elsewhere. */
function formsOf(secret: string): string[] {
  const escaped = JSON.stringify(secret).slice(1, -1);
  // With and without a line end, as `echo` makes it. Padding may follow.
  const base64 = [secret, `${secret}\n`].map((text) =>
    Buffer.from(text).toString("base64").replace(/=+$/, ""),
  );
  const hash = createHash("sha256").update(secret).digest("hex");
  return [secret, escaped, JSON.stringify(escaped).slice(1, -1), encodeURIComponent(secret), ...base64, hash];
}

/** The lines of a key, of which one may stand alone somewhere. */
function keyLines(secret: string): string[] {
  return secret
    .replaceAll(/\\+n/g, "\n")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line.length >= 16 && !line.startsWith("-----"));
}

/** Hides all of these texts, the longest first: one may be the beginning of another. */
function hiderOf(known: ReadonlySet<string>): (text: string) => string {
  const all = [...known].toSorted((a, b) => b.length - a.length);
  const long = all.filter(({ length }) => length > 300);
  const words = all.slice(long.length).map(escapeForPattern);
  // A pattern must not be too big.
  const patterns = Array.from(
    { length: Math.ceil(words.length / 200) },
    (_, i) => new RegExp(words.slice(i * 200, (i + 1) * 200).join("|"), "g"),
  );
  return (text) =>
    [...long, ...patterns].reduce<string>((rest, secret) => rest.replaceAll(secret, hidden), text);
}

/** `RegExp.escape` for a Node that has none yet. */
function escapeForPattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function parseJson(line: string): object | undefined {
  if (!/^\s*[[{]/.test(line)) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
