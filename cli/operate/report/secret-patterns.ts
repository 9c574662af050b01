/** How a secret is recognized in a text: by what stands around it, or by its own form. */
export interface SecretPattern {
  readonly name: string;
  /** Global; the group `secret` is what must go, without one the whole match. */
  readonly pattern: RegExp;
  /** What it finds is often an ordinary word. */
  readonly weak?: true;
}

const word = "[A-Za-z0-9_.-]{0,40}";
const secretWord =
  "(?:pass|passw(?:or)?d|passphrase|pwd|secret|token|credential|auth|api[-_]?key|private[-_]?key|access[-_]?key)s?";
/** Escaped or not, as often as JSON stands in JSON. */
const quote = String.raw`\\*["']`;
const base64 = "[A-Za-z0-9+/=]";
const keyName = "[A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----";

/** Over several lines; they are looked for first. */
export const privateKeys: readonly SecretPattern[] = [
  // One that was cut off takes the rest of the text with it.
  {
    name: "private key",
    pattern: new RegExp(String.raw`-----BEGIN ${keyName}(?:[\s\S]*?-----END ${keyName}|[\s\S]*$)`, "g"),
  },
  {
    name: "end of a private key",
    pattern: new RegExp(
      String.raw`(?:^|\\+n)(?:${base64}{1,76}(?:\r?\n|\\+n)){1,80}-----END ${keyName}`,
      "gm",
    ),
  },
  // `-----BEGIN`
  {
    name: "PEM in base64",
    pattern: new RegExp(String.raw`LS0tLS1CRUdJTi(?:${base64}|(?:\r?\n|\\+n)(?=${base64}{16}))+`, "g"),
  },
  { name: "line of base64", pattern: /^[A-Za-z0-9+/]{64}\r?$/gm },
];

/** Within a line. */
export const secretsInLine: readonly SecretPattern[] = [
  { name: "URL", pattern: /\b[a-z][a-z0-9+.-]{0,30}:\/\/[^\s/:@"']*:(?<secret>[^\s/@"']+)@/gi },
  {
    name: "quoted value",
    pattern: new RegExp(
      String.raw`(?<!existing)${secretWord}${quote}?\s*[:=]\s*(?<open>${quote})(?<secret>.*?)\k<open>`,
      "gi",
    ),
  },
  {
    name: "value",
    pattern: new RegExp(
      String.raw`(?<!existing)${secretWord}\s*[:=]\s*(?<secret>(?!\\*["'[{]|true\b|false\b|null\b)\S+)`,
      "gi",
    ),
  },
  {
    name: "directive",
    pattern:
      /\b(?:requirepass|masterauth|primaryauth|sentinel-pass|tls-(?:client-)?key-file-pass)[\s"'\\,:=]+(?<secret>[^\s"'\\]+)/gi,
  },
  { name: "auth-pass", pattern: /\bauth-pass\s+\S+\s+(?<secret>[^\s"'\\]+)/gi },
  { name: "AUTH with a user", weak: true, pattern: /\bAUTH2?["',\s]+[^\s"',]+["',\s]+(?<secret>[^\s"',]+)/g },
  { name: "AUTH", weak: true, pattern: /\bAUTH["',\s]+(?<secret>[^\s"',]+)/g },
  { name: "ACL", pattern: /(?<=\b(?:SETUSER|user)\b.*\s[><])(?<secret>[^\s"']+)/gi },
  {
    name: "option",
    weak: true,
    pattern: new RegExp(
      String.raw`(?<=^|[\s"'[,])--?${word}${secretWord}[\s"',=]+(?<secret>[^\s"',]+)`,
      "gi",
    ),
  },
  { name: "redis-cli -a", pattern: /\bredis-cli\b.*?\s-a[\s"',]+(?<secret>[^\s"',]+)/g },
  { name: "Authorization", weak: true, pattern: /\b(?:Bearer|Basic)\s+(?<secret>[\w.~+/=-]{8,})/g },
  { name: "JWT", pattern: /\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g },
  { name: "key of a cloud or forge", pattern: /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_\w{36,}/g },
];

/** Whether a field, an environment variable or an option of this name holds a secret; a name that ends in `_FILE` says where one is. */
export function namesSecret(name: string): boolean {
  if (name === "-a") return true;
  return !/existingSecret$/i.test(name) && new RegExp(`${secretWord}$`, "i").test(name);
}
