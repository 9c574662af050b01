import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Operation } from "../../../../workshop/chaos/history.ts";
import { keepHistoriesIn } from "../../../../workshop/chaos/write-histories.ts";
import { temporaryDirectory } from "../../../support/redis-process.ts";

describe("the file of histories for another checker", () => {
  const directory = temporaryDirectory();
  after(() => directory.remove());

  it("has a line for each register: what nobody knows has no end, what wasn't executed is left out", () => {
    const file = join(directory.path, "histories.jsonl");
    const operation = (
      command: Operation["command"],
      id: string,
      sentMs: number,
      outcome: Operation["outcome"],
    ) => ({
      ...{ client: "a", command, id, sentMs, endedMs: sentMs + 1, outcome },
    });
    const keep = keepHistoriesIn(file);
    keep(3, "kill", [
      operation("WRITE", "r=1", 10, { kind: "acknowledged", value: "OK" }),
      operation("READ", "r", 20, { kind: "acknowledged", value: "1" }),
      operation("WRITE", "r=2", 30, { kind: "error", text: "UNCERTAIN the connection was lost" }),
      operation("WRITE", "r=3", 40, { kind: "error", text: "NOREPLICAS not enough" }),
      operation("READ", "s", 50, { kind: "acknowledged", value: "9" }),
      operation("SET", "x", 60, { kind: "acknowledged", value: "OK" }),
    ]);
    const lines = readFileSync(file, "utf8").trimEnd().split("\n");
    assert.deepEqual(
      lines.map((line) => JSON.parse(line) as unknown),
      [
        {
          ...{ round: 3, fault: "kill", register: "r", verdict: "linearizable" },
          operations: [
            { kind: "write", value: "1", sentMs: 10, endedMs: 11 },
            { kind: "read", value: "1", sentMs: 20, endedMs: 21 },
            { kind: "write", value: "2", sentMs: 30, endedMs: null },
          ],
        },
        {
          ...{ round: 3, fault: "kill", register: "s", verdict: "violated" },
          operations: [{ kind: "read", value: "9", sentMs: 50, endedMs: 51 }],
        },
      ],
    );
    keepHistoriesIn(file);
    assert.equal(readFileSync(file, "utf8"), "", "a new run begins anew");
  });
});
