import assert from "node:assert/strict";
import type { Address } from "../../../../runtime/address.ts";
import { type Copy, isNewestCopy, parseHeartbeat } from "../../../../sentinel-image/supervise/heartbeat.ts";

const address = (index: number): Address => ({ host: `instance-${index}`, port: 6379 });
const copy = (index: number, epoch?: number, ms = 0): Copy => ({
  address: address(index),
  heartbeat: epoch === undefined ? undefined : { epoch, ms },
});

describe("a heartbeat", () => {
  it("is an epoch and a time", () => {
    assert.deepEqual(parseHeartbeat("3:1790000000123"), { epoch: 3, ms: 1_790_000_000_123 });
  });

  for (const value of [
    null,
    "",
    "3",
    "3:",
    ":5",
    "-1:5",
    "3:5 ",
    "3:5:7",
    "a:b",
    `3:${"9".repeat(16)}`,
    35,
  ]) {
    it(`is not ${JSON.stringify(value)}`, () => assert.equal(parseHeartbeat(value), undefined));
  }
});

describe("the newest copy", () => {
  const cases: readonly [string, Copy, readonly Copy[], boolean][] = [
    ["is one with a later time of the same epoch", copy(2, 1, 20), [copy(3, 1, 10)], true],
    ["is none with an earlier time of the same epoch", copy(2, 1, 10), [copy(3, 1, 20)], false],
    ["is one of a later epoch, whatever the clocks say", copy(2, 2, 10), [copy(3, 1, 99)], true],
    ["is none of an earlier epoch, whatever the clocks say", copy(2, 1, 99), [copy(3, 2, 10)], false],
    ["is the one with the first address among equals", copy(2, 1, 10), [copy(3, 1, 10)], true],
    ["is none with a later address among equals", copy(3, 1, 10), [copy(2, 1, 10)], false],
    ["is one beside an empty copy", copy(2, 0, 1), [copy(3)], true],
    ["is never an empty copy", copy(2), [copy(3)], false],
    ["is never an empty copy, also when it is the only one", copy(2), [], false],
    ["is the only one", copy(2, 1, 10), [], true],
    ["has to be newer than all", copy(2, 1, 20), [copy(3, 1, 10), copy(4, 1, 30)], false],
  ];
  for (const [name, own, others, expected] of cases) {
    it(name, () => assert.equal(isNewestCopy(own, others), expected));
  }
});
