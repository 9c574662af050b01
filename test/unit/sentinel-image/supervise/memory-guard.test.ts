import assert from "node:assert/strict";
import { pino } from "pino";
import { guardMemory, isNearLimit } from "../../../../sentinel-image/supervise/memory-guard.ts";

const MiB = 2 ** 20;

describe("isNearLimit", () => {
  it("leaves 6 % of the limit, at least 10 and at most 128 MiB", () => {
    for (const [limit, highest] of [
      [128, 118],
      [512, 481.28],
      [8192, 8064],
    ] as const) {
      assert.equal(isNearLimit({ limit: limit * MiB, needed: highest * MiB }), false);
      assert.equal(isNearLimit({ limit: limit * MiB, needed: highest * MiB + 1 }), true);
    }
  });
});

describe("guardMemory", () => {
  const log = pino({ level: "silent" });

  it("ends the fork once when the limit is near, and not before", async () => {
    const stop = new AbortController();
    const uses = [50, 117, 119, 60, 60];
    let looks = 0;
    const ended: number[] = [];
    await guardMemory({
      readUse: () => {
        const needed = uses[looks++];
        if (needed === undefined) stop.abort();
        return { limit: 128 * MiB, needed: (needed ?? 0) * MiB };
      },
      endForks: () => true,
      onEnded: () => ended.push(looks),
      log,
      signal: stop.signal,
    });
    assert.deepEqual(ended, [3]);
  });

  it("ends itself where nothing limits the memory", async () => {
    const never = new AbortController();
    await guardMemory({
      readUse: () => undefined,
      endForks: () => assert.fail(),
      onEnded: () => assert.fail(),
      log,
      signal: never.signal,
    });
  });
});
