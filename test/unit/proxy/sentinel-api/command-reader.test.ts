import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeCommand } from "../../../../proxy/resp/command-frame.ts";
import { CommandReader } from "../../../../proxy/sentinel-api/command-reader.ts";
import { ProtocolError } from "../../../../runtime/protocol-error.ts";

function readAll(reader: CommandReader): string[][] {
  const commands: string[][] = [];
  for (let args = reader.next(true); args !== undefined; args = reader.next(true)) {
    commands.push(args.map((arg) => arg.toString("latin1")));
  }
  return commands;
}

describe("CommandReader", () => {
  it("reads the same commands however their bytes are split", () => {
    const arg = fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes));
    const frame = fc.array(arg, { minLength: 1, maxLength: 5 }).map((args) => ({
      bytes: encodeCommand(args),
      args: args.map((one) => one.toString("latin1")),
    }));
    const inline = fc
      .array(fc.stringMatching(/^[a-z+]{1,8}$/), { minLength: 1, maxLength: 3 })
      .map((args) => ({ bytes: Buffer.from(`${args.join(" ")}\r\n`), args }));
    const empty = fc.constantFrom("\r\n", "*0\r\n", "*-1\r\n").map((text) => ({
      bytes: Buffer.from(text),
      args: [],
    }));
    const commands = fc.array(fc.oneof(frame, inline, empty), { maxLength: 8 });
    fc.assert(
      fc.property(commands, fc.array(fc.nat(200)), (sent, cuts) => {
        const bytes = Buffer.concat(sent.map((one) => one.bytes));
        const reader = new CommandReader();
        const found: string[][] = [];
        let at = 0;
        for (const cut of [...cuts, bytes.length]) {
          reader.push(bytes.subarray(at, at + cut));
          at = Math.min(bytes.length, at + cut);
          found.push(...readAll(reader));
        }
        assert.deepEqual(
          found,
          sent.map((one) => one.args).filter(({ length }) => length > 0),
        );
        assert.equal(reader.partial, false);
      }),
    );
  });

  const half = "x".repeat(40_000);
  const wrong: [title: string, pieces: string[], problem: RegExp, authenticated: boolean][] = [
    ["too many arguments", ["*2049\r\n"], /^invalid multibulk length$/, true],
    ["a huge argument", ["*1\r\n$536870912\r\n"], /^invalid bulk length$/, true],
    ["eleven arguments of a stranger", ["*11\r\n"], /^unauthenticated multibulk length$/, false],
    ["a long argument of a stranger", ["*1\r\n$16385\r\n"], /^unauthenticated bulk length$/, false],
    ["a long line", ["x".repeat(65_537)], /^too big inline request$/, true],
    [
      "a long command at once",
      [`*2\r\n$40000\r\n${half}\r\n$40000\r\n${half}\r\n`],
      /^too big command$/,
      true,
    ],
    [
      "a long command in pieces",
      ["*2\r\n$40000\r\n", `${half}\r\n$40000\r\n`, half],
      /^too big command$/,
      true,
    ],
    ["no command", ["*1\r\n:5\r\n"], /^expected '\$', got ':'$/, true],
    ["an open quote", ['PING "x\r\n'], /^unbalanced quotes in request$/, true],
  ];
  for (const [title, pieces, problem, authenticated] of wrong) {
    it(`refuses ${title}`, () => {
      const reader = new CommandReader();
      const readPieces = (): void => {
        for (const piece of pieces) {
          reader.push(Buffer.from(piece));
          assert.equal(reader.next(authenticated), undefined);
        }
      };
      assert.throws(readPieces, (error) => error instanceof ProtocolError && problem.test(error.message));
    });
  }

  it("reads a long command once, however many packets it comes in", () => {
    const args = Array.from({ length: 2000 }, () => "0123456789abcdef");
    const bytes = encodeCommand(args);
    const reader = new CommandReader();
    const begin = performance.now();
    for (let at = 0; at < bytes.length; at++) {
      assert.equal(reader.next(true), undefined);
      reader.push(bytes.subarray(at, at + 1));
    }
    assert.equal(reader.next(true)?.length, args.length);
    assert.ok(performance.now() - begin < 5000);
  });

  it("keeps no view of the chunk that a command came in", () => {
    const reader = new CommandReader();
    const chunk = Buffer.from("*1\r\n$4\r\nPING\r\n");
    reader.push(chunk);
    const args = reader.next(true);
    chunk.fill(0);
    assert.equal(String(args?.[0]), "PING");
  });
});
