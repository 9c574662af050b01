import assert from "node:assert/strict";
import { OpenRetries } from "../../../../proxy/upstream/open-retries.ts";

describe("OpenRetries", () => {
  let now = 0;
  let retries: OpenRetries;
  beforeEach(() => {
    now = 1000;
    retries = new OpenRetries(() => now);
  });

  it("bounds nothing as long as no try has failed", () => {
    assert.deepEqual([retries.begin(), retries.begin(), retries.resting], [true, true, false]);
    assert.deepEqual([retries.problem, retries.failingMs], [undefined, 0]);
    retries.succeeded();
    assert.ok(retries.begin());
  });

  it("lets one try begin at a time, with pauses that double up to half a second", () => {
    retries.failed("full");
    const pauses: number[] = [];
    for (let i = 0; i < 8; i++) {
      const { waitMs } = retries;
      pauses.push(waitMs);
      now += waitMs - 1;
      assert.ok(!retries.begin(), "too early");
      now++;
      assert.ok(retries.begin());
      assert.ok(!retries.begin(), "another one is under way");
      retries.failed(`full ${i}`);
    }
    assert.deepEqual(pauses, [25, 50, 100, 200, 400, 500, 500, 500]);
    assert.equal(retries.problem, "full 7");
    assert.equal(retries.failingMs, now - 1000);
  });

  it("takes several that had begun together for one", () => {
    assert.ok(retries.begin() && retries.begin());
    retries.failed("a");
    retries.failed("b");
    assert.equal(retries.waitMs, 25);
    assert.equal(retries.problem, "b");
  });

  it("forgets everything when one is fine, and lets another one begin when one said nothing", () => {
    retries.failed("full");
    now += 25;
    assert.ok(retries.begin());
    retries.undecided();
    assert.ok(retries.begin());
    retries.succeeded();
    assert.deepEqual([retries.problem, retries.failingMs, retries.resting], [undefined, 0, false]);
    retries.failed("again");
    assert.deepEqual([retries.waitMs, retries.failingMs], [25, 0]);
  });
});
