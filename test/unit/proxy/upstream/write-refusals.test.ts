import assert from "node:assert/strict";
import { WriteRefusals } from "../../../../proxy/upstream/write-refusals.ts";

describe("a master that refuses writes", () => {
  let now = 0;
  let refusals: WriteRefusals;
  const patienceMs = 5000;
  beforeEach(() => {
    now = 0;
    refusals = new WriteRefusals(() => now);
  });

  it("is waited for from the first refusal on, and not longer however often it refuses", () => {
    assert.equal(refusals.recent, false);
    const waitedFor: boolean[] = [];
    for (; now <= 6000; now += 1000) waitedFor.push(refusals.refused(patienceMs));
    assert.deepEqual(waitedFor, [true, true, true, true, true, false, false]);
    assert.equal(refusals.recent, true);
  });

  it("is waited for anew after two seconds without refusals", () => {
    for (; now <= 5000; now += 1000) refusals.refused(patienceMs);
    assert.equal(refusals.refused(patienceMs), false);
    now += 2001;
    assert.equal(refusals.recent, false);
    assert.equal(refusals.refused(patienceMs), true);
  });

  it("is forgotten when there is another one", () => {
    refusals.refused(patienceMs);
    refusals.forget();
    assert.equal(refusals.recent, false);
    now = patienceMs;
    assert.equal(refusals.refused(patienceMs), true);
  });
});
