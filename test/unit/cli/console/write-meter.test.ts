import assert from "node:assert/strict";
import { shownMs, WriteMeter } from "../../../../cli/console/write-meter.ts";

function writing(fromMs: number, untilMs: number, meter: WriteMeter): void {
  for (let atMs = fromMs; atMs <= untilMs; atMs += 25) meter.acknowledged(atMs);
}

describe("what the console's client measures", () => {
  it("is writes per second since the last tick", () => {
    const meter = new WriteMeter(1000);
    writing(1025, 1500, meter);
    assert.deepEqual(meter.tick(1500), { atMs: 1500, perSecond: 40, silentMs: 0, longestMs: 0, errors: {} });
    assert.equal(meter.tick(2000).perSecond, 0);
  });

  it("is the time between two acknowledged writes, while it lasts and afterwards", () => {
    const meter = new WriteMeter(0);
    writing(25, 1000, meter);
    const during = meter.tick(1700);
    assert.deepEqual([during.silentMs, during.longestMs], [700, 700]);
    writing(2250, 2500, meter);
    const after = meter.tick(2500);
    assert.deepEqual([after.silentMs, after.longestMs], [0, 1250]);
    assert.deepEqual(meter.pauses, [{ fromMs: 1000, untilMs: 2250 }]);
  });

  it("is no pause before the first write, and none for the time in which nobody was to write", () => {
    const meter = new WriteMeter(0);
    assert.equal(meter.tick(900).longestMs, 0);
    meter.acknowledged(1000);
    meter.resume(50_000);
    meter.acknowledged(50_900);
    assert.equal(meter.tick(51_000).longestMs, 100);
    assert.deepEqual(meter.pauses, []);
  });

  it("forgets what the chart doesn't show any more", () => {
    const meter = new WriteMeter(0);
    meter.acknowledged(0);
    meter.acknowledged(500);
    for (let atMs = 500; atMs <= 500 + shownMs + 1000; atMs += 500) {
      meter.acknowledged(atMs);
      meter.tick(atMs);
    }
    assert.equal(meter.ticks.length, shownMs / 500 + 1);
    assert.ok(!meter.pauses.some(({ fromMs }) => fromMs === 0));
  });

  it("counts errors by their first word", () => {
    const meter = new WriteMeter(0);
    for (const text of ["UNCERTAIN the connection …", "UNCERTAIN x", "LOADING no master"]) meter.failed(text);
    assert.deepEqual(meter.tick(500).errors, { UNCERTAIN: 2, LOADING: 1 });
  });
});
