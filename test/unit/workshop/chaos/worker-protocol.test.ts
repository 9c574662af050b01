import assert from "node:assert/strict";
import { parseWorkerLine } from "../../../../workshop/chaos/worker-protocol.ts";

describe("parseWorkerLine", () => {
  it("reads the messages of a worker", () => {
    for (const message of [
      ["ready"],
      ["op", "r1", "INCR", "7", 1.5, 2.5, "acknowledged", "3"],
      ["disconnect", 4.5, "closed"],
      ["drained", "r1", 12],
    ]) {
      assert.deepEqual(parseWorkerLine(JSON.stringify(message)), message);
    }
  });

  it("shows a line that is none: books with a hole prove nothing", () => {
    for (const line of [
      "Traceback",
      "{}",
      '["op","r1","DEL","7",1,2,"acknowledged",""]',
      '["drained","r1"]',
    ]) {
      assert.throws(
        () => parseWorkerLine(line),
        (error: Error) => error.message.includes(line.slice(0, 10)),
      );
    }
  });
});
