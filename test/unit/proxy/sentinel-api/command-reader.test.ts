import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeCommand } from "../../../../proxy/resp/command-frame.ts";
import { ProtocolError } from "../../../../proxy/resp/protocol-error.ts";
import { CommandReader } from "../../../../proxy/sentinel-api/command-reader.ts";

function readAll(reader: CommandReader): string[][] {
  const commands: string[][] = [];
  for (let args = reader.next(); args !== undefined; args = reader.next()) {
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
        const reader = new CommandReader(65_536);
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
        assert.equal(reader.pending, 0);
      }),
    );
  });

  const wrong: [bytes: string, problem: string][] = [
    ["*1000000000\r\n", "invalid multibulk length"],
    ["*-2\r\n", "invalid multibulk length"],
    ["*x\r\n", "invalid multibulk length"],
    ["*\r\n", "invalid multibulk length"],
    ["*1.5\r\n", "invalid multibulk length"],
    [`*${"0".repeat(40)}`, "invalid multibulk length"],
    ["*1\r\n$536870912\r\n", "invalid bulk length"],
    ["*1\r\n$-1\r\n", "invalid bulk length"],
    [`*1\r\n$${"1".repeat(40)}`, "invalid bulk length"],
    ["*1\r\n:5\r\n", "expected '$', got ':'"],
    ['PING "x\r\n', "unbalanced quotes in request"],
    ["x".repeat(101), "too big command"],
    [`${"x".repeat(101)}\r\n`, "too big command"],
    [`*2\r\n$60\r\n${"x".repeat(60)}\r\n$60\r\n${"x".repeat(60)}\r\n`, "too big command"],
    [`*2\r\n$60\r\n${"x".repeat(60)}\r\n$60\r\n${"x".repeat(30)}`, "too big command"],
  ];
  for (const [bytes, problem] of wrong) {
    it(`refuses ${JSON.stringify(bytes.slice(0, 30))} with '${problem}'`, () => {
      const reader = new CommandReader(100);
      reader.push(Buffer.from(bytes));
      assert.throws(
        () => reader.next(),
        (error) => error instanceof ProtocolError && error.message === problem,
      );
    });
  }

  it("reads a long command once, however many packets it comes in", () => {
    const args = Array.from({ length: 2000 }, () => "0123456789abcdef");
    const bytes = encodeCommand(args);
    const reader = new CommandReader(65_536);
    const begin = performance.now();
    for (let at = 0; at < bytes.length; at++) {
      assert.equal(reader.next(), undefined);
      reader.push(bytes.subarray(at, at + 1));
    }
    assert.equal(reader.next()?.length, args.length);
    assert.ok(performance.now() - begin < 5000);
  });

  it("keeps no view of the chunk that a command came in", () => {
    const reader = new CommandReader(100);
    const chunk = Buffer.from("*1\r\n$4\r\nPING\r\n");
    reader.push(chunk);
    const args = reader.next();
    chunk.fill(0);
    assert.equal(String(args?.[0]), "PING");
  });
});
