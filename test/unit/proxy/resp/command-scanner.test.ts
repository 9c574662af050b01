import assert from "node:assert/strict";
import fc from "fast-check";
import { CommandTable } from "../../../../proxy/commands/command-table.ts";
import { decodeCommand } from "../../../../proxy/resp/command-frame.ts";
import { type CommandLimits, defaultCommandLimits } from "../../../../proxy/resp/command-limits.ts";
import { CommandScanner } from "../../../../proxy/resp/command-scanner.ts";
import { ProtocolError } from "../../../../runtime/protocol-error.ts";
import { anyBytes, type Bytes, cutAt, mutated, soup, splitOf } from "./byte-streams.ts";
import { type ParsedCommands, parseCommands } from "./reference-command-parser.ts";

const table = new CommandTable([{ name: "get", flags: ["readonly"], subcommands: [] }]);
/** Small enough that generated streams reach them. */
const smallLimits: CommandLimits = { args: 3, argBytes: 9, inlineBytes: 20, commandBytes: 30 };
const runs = { numRuns: 5000 };

const frame = (args: readonly Bytes[]): Bytes =>
  `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join("")}`;
const commands = fc.array(fc.array(fc.oneof(anyBytes(12), anyBytes(90)), { minLength: 1, maxLength: 4 }), {
  maxLength: 5,
});
const frames = commands.map((all) => all.map(frame).join(""));
const tokens = [
  ..."*$-+0129 \"'\\",
  ...["\r", "\n", "\r\n", "\0", "*0\r\n", "*-1\r\n", "*1\r\n", "*2\r\n", "*01\r\n", "$0\r\n\r\n", "$-1\r\n"],
  ...[
    "$4\r\nPING\r\n",
    "$04\r\n",
    "*1048577\r\n",
    "$67108865\r\n",
    `$${"9".repeat(31)}`,
    `*-${"9".repeat(31)}`,
  ],
  ...["PING\r\n", "GET a\n", '"a\\x4', '\\x41"', "'it\\'s'", "\t", "\x0b"],
];
const streams = fc.oneof(frames, mutated(frames, tokens), soup(tokens), anyBytes(200));

/** Feeds the pieces one after the other, and looks at everything that the scanner keeps. */
function scan(pieces: readonly Buffer[], limits: CommandLimits): ParsedCommands {
  const scanner = new CommandScanner(table, limits);
  const commands: string[][] = [];
  let fed = 0;
  try {
    for (const piece of pieces) {
      scanner.push(piece);
      fed += piece.length;
      while (scanner.next()) {
        const { earlier = [], buffer, start, end, argCount, rule } = scanner;
        const args = decodeCommand(Buffer.concat([...earlier, buffer.subarray(start, end)]));
        assert.equal(args.length, argCount);
        const name = args[0]?.toString("latin1").toLowerCase() ?? "";
        assert.equal(rule.name, table.rules.get(name)?.name ?? "unknown");
        commands.push(args.map((arg) => arg.toString("latin1")));
      }
      const kept = scanner.rest().length + (scanner.partial ? sizeOf(scanner.earlier ?? []) : 0);
      assert.ok(kept <= fed, `${kept} bytes kept of ${fed}`);
      assert.equal(scanner.partialBytes, kept);
      assert.equal(scanner.partial, kept > 0);
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { commands, broken: true, rest: 0 };
  }
  return { commands, broken: false, rest: scanner.partialBytes };
}

function sizeOf(pieces: readonly Buffer[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

const streamAndSplit = streams.chain((stream) => fc.tuple(fc.constant(stream), splitOf(stream)));

describe("CommandScanner, properties", function () {
  this.timeout(30_000);

  it("finds what was sent, in any pieces", () => {
    const sent = commands.chain((all) => fc.tuple(fc.constant(all), splitOf(all.map(frame).join(""))));
    fc.assert(
      fc.property(sent, ([all, pieces]) => {
        assert.deepEqual(scan(pieces, defaultCommandLimits), { commands: all, broken: false, rest: 0 });
      }),
      runs,
    );
  });

  for (const [name, limits] of [
    ["the default limits", defaultCommandLimits],
    ["small limits", smallLimits],
  ] as const) {
    it(`takes any bytes in any pieces for what the reference parser takes them for, ${name}`, () => {
      fc.assert(
        fc.property(streamAndSplit, ([stream, pieces]) => {
          assert.deepEqual(scan(pieces, limits), parseCommands(stream, limits));
        }),
        runs,
      );
    });
  }

  it("goes on where a command ends when the limits change, as they do at AUTH", () => {
    fc.assert(
      fc.property(commands, (all) => {
        const scanner = new CommandScanner(table, smallLimits);
        const stream = `AUTH x\r\n${all.map(frame).join("")}`;
        scanner.push(Buffer.from(stream, "latin1"));
        assert.equal(scanner.next(), true);
        scanner.limits = defaultCommandLimits;
        for (const args of all) {
          assert.equal(scanner.next(), true);
          assert.equal(scanner.argCount, args.length);
        }
        assert.equal(scanner.next(), false);
      }),
    );
  });

  // What the properties have found, and what the limits are there for.
  for (const [what, stream] of [
    ["a count with a leading zero: Redis closes the connection, which others share", "*01\r\n$4\r\nPING\r\n"],
    ["a length with a leading zero", "*1\r\n$04\r\nPING\r\n"],
    ["a length of -0", "*2\r\n$3\r\nGET\r\n$-0\r\n\r\n"],
    ["a count without digits", "*\r\n"],
    ["a count of a billion", "*1000000000\r\n"],
    ["a promise of 512 MiB", "*1\r\n$536870912\r\n"],
    ["a number that never ends", `*${"1".repeat(100)}`],
    ["a negative number that never ends", `*1\r\n$-${"1".repeat(100)}`],
    ["a line that never ends", "x".repeat(64 * 1024 + 1)],
    ["open quotes", '"PING\r\n'],
  ] as const) {
    it(`refuses ${what}, whole and byte by byte`, () => {
      const bytes = Array.from(stream, (_, i) => i);
      for (const pieces of [cutAt(stream, []), cutAt(stream, bytes)]) {
        assert.deepEqual(scan(pieces, defaultCommandLimits), { commands: [], broken: true, rest: 0 });
      }
    });
  }

  it("allocates nothing for bytes that were only promised", () => {
    const before = process.memoryUsage().rss;
    const scanners = Array.from({ length: 2000 }, () => {
      const scanner = new CommandScanner(table);
      scanner.push(Buffer.from("*1048576\r\n$3\r\nSET\r\n$67108864\r\nx"));
      assert.equal(scanner.next(), false);
      return scanner;
    });
    assert.ok(scanners.every(({ partialBytes }) => partialBytes < 64));
    const grown = (process.memoryUsage().rss - before) / 2 ** 20;
    assert.ok(grown < 64, `${grown} MiB for 2000 commands of a promised 64 MiB each`);
  });
});
