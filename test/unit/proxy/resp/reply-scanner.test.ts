import assert from "node:assert/strict";
import fc from "fast-check";
import { ReplyScanner } from "../../../../proxy/resp/reply-scanner.ts";
import { ProtocolError } from "../../../../runtime/protocol-error.ts";
import { anyBytes, type Bytes, cutAt, mutated, soup, splitOf } from "./byte-streams.ts";
import { type ParsedReplies, parseReplies } from "./reference-reply-parser.ts";

const runs = { numRuns: 5000 };
const lineOf = (text: Bytes): Bytes => text.replace(/[\r\n]/g, " ");
const lines = fc.tuple(fc.constantFrom(..."+-:,#(_"), fc.oneof(anyBytes(8), anyBytes(100)));
const bulks = fc.tuple(fc.constantFrom(..."$!="), anyBytes(40));

const { reply } = fc.letrec<{ reply: Bytes; value: Bytes; attribute: Bytes; list: Bytes; map: Bytes }>(
  (tie) => ({
    value: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      lines.map(([type, text]) => `${type}${lineOf(text)}\r\n`),
      bulks.map(([type, body]) => `${type}${body.length}\r\n${body}\r\n`),
      fc.constantFrom("$-1\r\n", "*-1\r\n", "*0\r\n", "%0\r\n"),
      tie("list"),
      tie("map"),
    ),
    list: fc
      .tuple(fc.constantFrom(..."*~>"), fc.array(tie("reply"), { maxLength: 4 }))
      .map(([type, items]) => `${type}${items.length}\r\n${items.join("")}`),
    map: fc
      .array(fc.tuple(tie("reply"), tie("reply")), { maxLength: 3 })
      .map((pairs) => `%${pairs.length}\r\n${pairs.flat().join("")}`),
    attribute: fc
      .array(fc.tuple(tie("value"), tie("value")), { maxLength: 2 })
      .map((pairs) => `|${pairs.length}\r\n${pairs.flat().join("")}`),
    reply: fc.oneof(
      { weight: 6, arbitrary: tie("value") },
      fc.tuple(tie("attribute"), tie("value")).map((parts) => parts.join("")),
    ),
  }),
);
const replies = fc.array(reply, { maxLength: 5 }).map((all) => all.join(""));
const tokens = [
  ..."+-:,#(_$!=*~>%|?0123",
  ...["\r", "\n", "\r\n", "*1\r\n", "*2\r\n", "*-1\r\n", "*-2\r\n", "$-1\r\n", "$0\r\n\r\n", "$3\r\nabc\r\n"],
  ...[
    "%1\r\n",
    "|1\r\n",
    "%-1\r\n",
    ">2\r\n",
    "~0\r\n",
    "_\r\n",
    "+OK\r\n",
    "-ERR x\r\n",
    `*${"9".repeat(20)}\r\n`,
  ],
];
const streams = fc.oneof(replies, mutated(replies, tokens), soup(tokens), anyBytes(200));

function scan(pieces: readonly Buffer[]): ParsedReplies {
  const scanner = new ReplyScanner();
  const found: { type: string; bytes: string }[] = [];
  let [fed, taken] = [0, 0];
  try {
    for (const piece of pieces) {
      scanner.push(piece);
      fed += piece.length;
      while (scanner.next()) {
        const { earlier = [], buffer, start, end, type } = scanner;
        const bytes = Buffer.concat([...earlier, buffer.subarray(start, end)]).toString("latin1");
        found.push({ type: String.fromCharCode(type), bytes });
        taken += bytes.length;
      }
      const kept = (scanner.earlier ?? []).reduce((sum, { length }) => sum + length, 0);
      assert.equal(scanner.earlierBytes, kept);
      assert.ok(kept <= fed - taken, `${kept} bytes kept of ${fed - taken}`);
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { replies: found, broken: true, rest: 0 };
  }
  return { replies: found, broken: false, rest: fed - taken };
}

describe("ReplyScanner, properties", function () {
  this.timeout(30_000);
  const streamAndSplit = streams.chain((stream) => fc.tuple(fc.constant(stream), splitOf(stream)));

  it("takes any bytes in any pieces for what the reference parser takes them for", () => {
    fc.assert(
      fc.property(streamAndSplit, ([stream, pieces]) => {
        assert.deepEqual(scan(pieces), parseReplies(stream));
      }),
      runs,
    );
  });

  it("takes a message in the middle of EXEC's reply for none of its elements, as Redis 7.0 sends it", () => {
    const exec = "*2\r\n>3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n:1\r\n+x\r\n";
    const { replies } = scan(cutAt(`${exec}+OK\r\n`, [5, 20, 40]));
    assert.deepEqual(
      replies.map(({ bytes }) => bytes),
      [exec, "+OK\r\n"],
    );
  });

  it("counts nesting of any depth without descending into it", () => {
    const depth = 200_000;
    const stream = `${"*1\r\n".repeat(depth)}:1\r\n`;
    const { replies, rest } = scan(cutAt(stream, [1, 77, 5000, 600_000]));
    assert.equal(rest, 0);
    assert.equal(replies[0]?.bytes.length, stream.length);
  });

  it("gives away what has come of a big reply, and finds its end all the same", () => {
    const body = "x".repeat(5000);
    const stream = `$${body.length}\r\n${body}\r\n:1\r\n`;
    fc.assert(
      fc.property(splitOf(stream), (pieces) => {
        const scanner = new ReplyScanner();
        let received = "";
        let whole = 0;
        for (const piece of pieces) {
          scanner.push(piece);
          while (scanner.next()) {
            const { buffer, start, end } = scanner;
            for (const one of [...scanner.takeEarlier(), buffer.subarray(start, end)]) {
              received += one.toString("latin1");
            }
            whole++;
          }
          for (const one of scanner.takeEarlier()) received += one.toString("latin1");
        }
        assert.equal(whole, 2);
        assert.equal(received, stream);
      }),
      { numRuns: 50 },
    );
  });

  it("takes a long line for the same thing whole and in pieces: scripts give such lines", () => {
    for (const type of "+-") {
      for (const length of [100, 4095, 4096, 4097, 64 * 1024, 200_000]) {
        const stream = `${type}${"x".repeat(length)}\r\n+OK\r\n`;
        const end = length + 1;
        for (const places of [[], [length / 2], [end], [end + 1], [1, 2, 5000, end, end + 1, end + 2]]) {
          const { replies, rest } = scan(cutAt(stream, places));
          const sizes = replies.map(({ bytes }) => bytes.length);
          assert.deepEqual({ sizes, rest }, { sizes: [length + 3, 5], rest: 0 });
        }
      }
    }
  });

  it("finds the end of a long line that comes byte by byte", () => {
    const scanner = new ReplyScanner();
    const stream = Buffer.from(`*2\r\n+${"x".repeat(50_000)}\r\n:1\r\n`);
    for (let at = 0; at < stream.length - 1; at++) {
      scanner.push(stream.subarray(at, at + 1));
      assert.equal(scanner.next(), false);
    }
    scanner.push(stream.subarray(-1));
    assert.equal(scanner.next(), true);
  });
});
