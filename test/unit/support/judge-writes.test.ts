import assert from "node:assert/strict";
import { judgeWrites } from "../../support/judge-writes.ts";
import type { SampleLine } from "../../support/sample-program.ts";

describe("judgeWrites", () => {
  const pushed = (id: string, value: number): SampleLine => ({
    event: "written",
    command: "RPUSH",
    id,
    value,
  });
  const raised = (id: string, value: number): SampleLine => ({
    event: "written",
    command: "INCR",
    id,
    value,
  });
  const failed = (command: "INCR" | "RPUSH", id: string, message: string): SampleLine => ({
    event: "error",
    command,
    id,
    message,
  });
  const unknown = (message: string): boolean => message.startsWith("UNCERTAIN");
  const fine: readonly SampleLine[] = [
    { event: "ready" },
    pushed("a", 1),
    raised("b", 1),
    failed("RPUSH", "c", "UNCERTAIN"),
    failed("INCR", "d", "UNCERTAIN"),
    failed("RPUSH", "e", "LOADING"),
    pushed("f", 2),
    raised("g", 2),
  ];
  const judge = (list: readonly string[], counter: number, lines = fine): string[] =>
    judgeWrites(lines, { list, counter }, unknown);

  it("takes uncertain commands as executed and as not executed", () => {
    assert.deepEqual(judge(["a", "f"], 2), []);
    assert.deepEqual(judge(["a", "c", "f"], 3), []);
  });

  const faults: readonly (readonly [string, readonly string[], number, readonly string[]])[] = [
    ["an element that is there twice", ["a", "f", "a"], 2, ["RPUSH a was executed twice"]],
    ["an acknowledged element that is missing", ["a"], 2, ["RPUSH f was acknowledged and is lost"]],
    ["an element that was refused", ["a", "e", "f"], 2, ["RPUSH e was executed although it was refused"]],
    ["a lost increment", ["a", "f"], 1, ["the counter is 1, but 2 INCR were acknowledged"]],
    ["an increment too many", ["a", "f"], 4, ["the counter is 4, but at most 3 INCR were sent once"]],
  ];
  for (const [name, list, counter, wrong] of faults) {
    it(`finds ${name}`, () => assert.deepEqual(judge(list, counter), wrong));
  }

  it("finds a value that was given twice: a write between was undone", () => {
    const lines = [...fine, raised("h", 2)];
    assert.deepEqual(judge(["a", "f"], 3, lines), ["INCR g and h were both answered with 2"]);
  });
});
