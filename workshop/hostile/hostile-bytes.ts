import { encodeCommand } from "../../proxy/resp/command-frame.ts";
import type { SeededRandom } from "./seeded-random.ts";

/** Attackers write to these keys only, and so little to each that Redis' memory stays small. */
const keys = Array.from({ length: 32 }, (_, i) => `hostile:${i}`);
/** Of a value that is read by those who don't read: replies are much bigger than requests. */
export const bigKey = "hostile:big";
export const bigValueBytes = 256 * 1024;

/** What breaks parsers: pieces of the grammar, numbers at the edges, other types, quotes, NUL. */
const tokens = [
  ...["*", "$", "\r", "\n", "\r\n", "-", "+", "0", "9", "\0", "\xff", '"', "'", "\\x4", " ", "\t"],
  ...["*0\r\n", "*-1\r\n", "*01\r\n", "*1\r\n", "*2\r\n", "*1048576\r\n", "*1048577\r\n", "*2147483648\r\n"],
  ...["*99999999999999999999\r\n", "*-99999999999999999999\r\n", "*1e3\r\n", "*+1\r\n", "*1\r\r\n", "*1\n"],
  ...["$-1\r\n", "$-0\r\n", "$00\r\n", "$04\r\n", "$0\r\n\r\n", "$67108864\r\n", "$67108865\r\n"],
  ...[
    "$4294967295\r\n",
    "$18446744073709551616\r\n",
    "$4\r\nPING\r\n",
    "$4\r\nPINGxx",
    "PING\r\n",
    "\r\n\r\n",
  ],
  ...[
    "+OK\r\n",
    "-ERR x\r\n",
    ":1\r\n",
    "_\r\n",
    "#t\r\n",
    ",1.5\r\n",
    "%1\r\n",
    "~1\r\n",
    ">1\r\n",
    "|1\r\n",
  ],
  ...["GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "SELECT 0\n"],
];

/** Bytes without any order. */
export function garbage(random: SeededRandom): Buffer {
  return random.bytes(random.between(1, 2048));
}

/** Pieces of the grammar in any order: they get deeper into a parser than garbage. */
export function grammarSoup(random: SeededRandom): Buffer {
  const parts = Array.from({ length: random.between(1, 60) }, () => random.pick(tokens));
  return Buffer.from(parts.join(""), "latin1");
}

/** One command that does what it says, and does no harm. */
export function harmlessCommand(random: SeededRandom): string[] {
  const key = random.pick(keys);
  const value = "v".repeat(random.oneIn(20) ? random.between(1, 20_000) : random.between(0, 100));
  return random.pick([
    ["PING"],
    ["ECHO", value],
    ["GET", key],
    ["SET", key, value],
    ["SET", key, value, "EX", "10"],
    ["STRLEN", key],
    ["MGET", ...keys.slice(0, random.between(1, 10))],
    ["EXISTS", key, key],
    ["TYPE", key],
    ["CLIENT", "GETNAME"],
    ["COMMAND", "COUNT"],
    ["OBJECT", "ENCODING", key],
    ["nosuchcommand", value],
  ]);
}

/** A stream of commands as a client sends them. */
export function validStream(random: SeededRandom, count: number): Buffer {
  const frames = Array.from({ length: count }, () => encodeCommand(harmlessCommand(random)));
  return Buffer.concat(frames);
}

/** A valid stream in which a few bytes were changed, added, taken away or repeated. */
export function mutatedStream(random: SeededRandom): Buffer {
  let stream = validStream(random, random.between(1, 30));
  for (let i = random.between(1, 5); i > 0; i--) stream = mutate(random, stream);
  return stream;
}

function mutate(random: SeededRandom, stream: Buffer): Buffer {
  const at = random.below(stream.length + 1);
  const [before, after] = [stream.subarray(0, at), stream.subarray(at)];
  switch (random.below(5)) {
    case 0:
      return Buffer.concat([before, random.bytes(random.between(1, 4)), after]);
    case 1:
      return Buffer.concat([before, Buffer.from(random.pick(tokens), "latin1"), after]);
    case 2:
      return Buffer.concat([before, after.subarray(random.between(1, 4))]);
    case 3:
      return Buffer.concat([before, after.subarray(0, random.between(1, 50)), after]);
    default:
      return Buffer.concat([before, random.bytes(1), after.subarray(1)]);
  }
}

/** A promise of much more than ever comes. */
export function hugePromise(random: SeededRandom): Buffer {
  return Buffer.from(
    random.pick([
      "*1048576\r\n$3\r\nSET\r\n",
      "*3\r\n$3\r\nSET\r\n$9\r\nhostile:0\r\n$67108864\r\nx",
      "*1000000000\r\n",
      "*2147483647\r\n$3\r\nGET\r\n",
      "*2\r\n$536870912\r\n",
      "*2\r\n$4\r\nECHO\r\n$4294967295\r\n",
      `*${"9".repeat(random.between(1, 60))}\r\n`,
      `*1\r\n$${"9".repeat(random.between(1, 60))}`,
    ]),
  );
}

/** A line with the quotes, escapes and lengths that a parser of lines has trouble with. */
export function inlineSoup(random: SeededRandom): Buffer {
  const pieces = [
    "PING",
    "ECHO",
    '"',
    "'",
    "\\",
    "\\x41",
    "\\xZZ",
    " ",
    "\t",
    "\0",
    "\x0b",
    "a",
    "\\n",
    "\r",
  ];
  const lines = Array.from({ length: random.between(1, 20) }, () => {
    const parts = Array.from({ length: random.between(0, 15) }, () => random.pick(pieces));
    return parts.join("") + (random.oneIn(40) ? "x".repeat(66_000) : "");
  });
  return Buffer.from(lines.join(random.pick(["\n", "\r\n"])), "latin1");
}
