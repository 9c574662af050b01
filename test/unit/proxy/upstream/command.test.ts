import assert from "node:assert/strict";
import { unknownCommand } from "../../../../proxy/commands/command-rule.ts";
import { encodeCommand } from "../../../../proxy/resp/command-frame.ts";
import { Command } from "../../../../proxy/upstream/command.ts";

const attempts = { sinceMs: 1, returns: 2, losses: 1, alone: false, lostIn: 3 };

describe("Command", () => {
  const frame = encodeCommand(["SET", "key", "value"]);
  const command = new Command(unknownCommand, 3, [frame.subarray(0, 9), frame.subarray(9)]);

  it("gives its arguments whatever the pieces in which it came, and decodes a few of them once", () => {
    assert.deepEqual(command.args.map(String), ["SET", "key", "value"]);
    assert.equal(command.args, command.args);
    assert.deepEqual(
      [0, 2, 3].map((i) => command.arg(i)?.toString()),
      ["SET", "value", undefined],
    );
    assert.deepEqual(command.frame, frame);
    assert.equal(command.size, frame.length);
  });

  it("keeps no decoded arguments of a long one, which may wait for hours", () => {
    const long = new Command(unknownCommand, 100, [
      encodeCommand(Array.from({ length: 100 }, (_, i) => `${i}`)),
    ]);
    assert.equal(long.arg(99)?.toString(), "99");
    assert.equal(long.args.length, 100);
    assert.notEqual(long.args, long.args);
  });

  it("is never changed: what differs in one thing is another one", () => {
    const again = command.withAttempts(attempts);
    const other = again.withArgs(["DEL", "key"]);
    assert.deepEqual([command.attempts, again.attempts, other.attempts], [undefined, attempts, attempts]);
    assert.deepEqual([other.argCount, other.args.map(String)], [2, ["DEL", "key"]]);
    const rule = { ...unknownCommand, name: "set" };
    assert.equal(again.withRule(rule).attempts, attempts);
    assert.equal(command.withRule(unknownCommand), command);
    assert.equal(again.withAttempts(undefined).attempts, undefined);
  });
});
