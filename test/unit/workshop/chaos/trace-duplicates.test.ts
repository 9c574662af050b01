import assert from "node:assert/strict";
import { traceDuplicates } from "../../../../workshop/chaos/trace-duplicates.ts";
import { instance } from "../../../support/sentinel-views.ts";
import { acknowledged } from "./histories.ts";

describe("traceDuplicates", () => {
  it("puts executions and the client's own time-outs side by side, and leaves out what ran once", () => {
    const execution = (id: string, atMs: number) => ({
      instance: instance(1),
      atMs,
      round: "r",
      client: "a",
      command: "RPUSH" as const,
      id,
    });
    const operations = [acknowledged("RPUSH", "x", "1", 1000), acknowledged("RPUSH", "y", "2", 1000)];
    const disconnects = [
      { client: "a", atMs: 6005, reason: "timeout: 5 s" },
      { client: "b", atMs: 6006, reason: "closed" },
    ];
    const executions = [execution("x", 6004), execution("x", 6010), execution("y", 6004)];
    assert.deepEqual(traceDuplicates(executions, { operations, disconnects }, 1000), [
      "a RPUSH x: sent 0.0, ended 5.0 (acknowledged); executed 5004.0 on 6379, 5010.0 on 6379; connections given up: 5005.0",
    ]);
  });
});
