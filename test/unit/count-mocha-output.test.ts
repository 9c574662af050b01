import assert from "node:assert/strict";
import { countMochaOutput } from "../support/count-mocha-output.ts";

describe("countMochaOutput", () => {
  it("reads mocha's closing lines", () => {
    const output = "    ✔ 3 passing things\n\n  12 passing (3s)\n  2 pending\n  1 failing\n";
    assert.deepEqual(countMochaOutput(output, 1), { passed: 12, failed: 1, skipped: 2 });
  });

  it("counts a crash and a run without tests as failures", () => {
    assert.deepEqual(countMochaOutput("  5 passing (1s)\n", 7), { passed: 5, failed: 1, skipped: 0 });
    assert.deepEqual(countMochaOutput("", 0), { passed: 0, failed: 1, skipped: 0 });
  });
});
