import assert from "node:assert/strict";
import { announcementToWrite, measureStalls, writeKey } from "../../../../workshop/chaos/measure-stalls.ts";
import { percentile } from "../../../../workshop/chaos/percentile.ts";
import { acknowledged, failed, uncertain } from "./histories.ts";

describe("measureStalls", () => {
  it("tells the longest time between two answers of a client, and its slowest command", () => {
    const slow = { ...acknowledged("SET", "x", "OK", 20), endedMs: 1020 };
    const { longestStallMs, slowestMs } = measureStalls([acknowledged("SET", "w", "OK", 0), slow], 10);
    assert.deepEqual(longestStallMs, { a: 1015 });
    assert.deepEqual(slowestMs, { a: 1000 });
  });

  it("doesn't take errors for answers", () => {
    const operations = [
      acknowledged("SET", "x", "OK", 0),
      failed("SET", "y", uncertain, 500),
      acknowledged("SET", "z", "OK", 995),
    ];
    assert.equal(measureStalls(operations, 0).longestStallMs.a, 995);
  });

  it("counts the time to the end for a client that never gets an answer again", () => {
    const operations = [acknowledged("SET", "x", "OK", 0), failed("SET", "y", uncertain, 2995)];
    assert.equal(measureStalls(operations, 0).longestStallMs.a, 2995);
  });

  it("tells how long no client could write after the fault, and when that ended", () => {
    const operations = [
      acknowledged("SET", "v", "OK", 0),
      // Still answered after the fault.
      acknowledged("SET", "w", "OK", 100),
      acknowledged("GET", "w", "w", 400),
      { ...acknowledged("SET", "x", "OK", 900), client: "b" },
      acknowledged("SET", "y", "OK", 950),
    ];
    const { withoutWritesMs, faultToWriteMs } = measureStalls(operations, 103);
    assert.deepEqual([withoutWritesMs, faultToWriteMs], [800, 802]);
  });

  it("tells nothing where no write came after the fault", () => {
    const { withoutWritesMs, faultToWriteMs } = measureStalls([acknowledged("SET", "v", "OK", 0)], 50);
    assert.deepEqual([withoutWritesMs, faultToWriteMs], [undefined, undefined]);
  });
});

describe("announcementToWrite", () => {
  const old = acknowledged("RPUSH", "1", "1", 100);
  const next = acknowledged("RPUSH", "2", "2", 120);

  it("tells the first write after the announcement that no other instance executed", () => {
    assert.equal(announcementToWrite([old, next], 100, new Set()), 5);
    assert.equal(announcementToWrite([old, next], 100, new Set([writeKey(old)])), 25);
  });

  it("counts neither errors, nor reads, nor increments, which can't be told apart", () => {
    const others = [
      failed("SET", "3", uncertain, 101),
      acknowledged("GET", "3", "3", 101),
      acknowledged("INCR", "3", "3", 101),
    ];
    assert.equal(announcementToWrite(others, 100, new Set()), undefined);
  });
});

describe("percentile", () => {
  it("is the nearest rank", () => {
    const values = Array.from({ length: 100 }, (_, i) => 100 - i);
    assert.deepEqual(
      [0.5, 0.99, 1].map((share) => percentile(values, share)),
      [50, 99, 100],
    );
    assert.equal(percentile([], 0.5), undefined);
  });
});
