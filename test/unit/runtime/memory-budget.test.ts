import assert from "node:assert/strict";
import { maxmemoryBytes, memoryFor, memoryWithoutCopies } from "../../../runtime/memory-budget.ts";
import { parseQuantity } from "../../../runtime/quantity.ts";

const MiB = 2 ** 20;

describe("maxmemoryBytes", () => {
  const table: readonly [limit: string, mebibytes: number][] = [
    ["128Mi", 36],
    ["256Mi", 93],
    ["512Mi", 208],
    ["1Gi", 439],
    ["2Gi", 900],
    ["8Gi", 3664],
  ];
  for (const [limit, expected] of table) {
    it(`of ${limit} is ${expected} MiB: two copies and everything else fit`, () => {
      const bytes = maxmemoryBytes(limit);
      assert.equal(Math.floor(bytes / MiB), expected);
      const everything = 40 * MiB + 2 * 1.08 * bytes;
      assert.ok(everything < (parseQuantity(limit) ?? 0), `${everything / MiB} MiB`);
      assert.ok(memoryWithoutCopies(bytes) > bytes);
    });
  }
});

describe("memoryFor", () => {
  it("gives the smallest setting that is enough", () => {
    for (const mebibytes of [1, 36, 37, 93, 272, 1000, 20_000]) {
      const memory = memoryFor(mebibytes * MiB);
      const bytes = parseQuantity(memory) ?? 0;
      assert.ok(maxmemoryBytes(memory) >= mebibytes * MiB, memory);
      assert.ok(maxmemoryBytes(`${bytes / MiB - 32}Mi`) < mebibytes * MiB, memory);
    }
  });
});
