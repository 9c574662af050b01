import assert from "node:assert/strict";
import { OrderlyStop } from "../../../proxy/orderly-stop.ts";

function stopOf(delayMs: number) {
  const done: string[] = [];
  const drained = Promise.withResolvers<void>();
  const stop = new OrderlyStop({
    delayMs,
    drain: (signal) => {
      done.push(`drain ${signal}`);
      return drained.promise;
    },
    abort: () => done.push("abort"),
  });
  return { stop, done, drained };
}

describe("the end of a proxy", () => {
  it("takes clients on for the delay after SIGTERM, and only then drains", async () => {
    const { stop, done, drained } = stopOf(50);
    const begin = performance.now();
    const ended = stop.signal("SIGTERM");
    assert.equal(stop.draining, false);
    drained.resolve();
    await ended;
    assert.ok(performance.now() - begin >= 49);
    assert.deepEqual([stop.draining, done], [true, ["drain SIGTERM"]]);
  });

  it("drains at once without a delay, and at SIGINT", () => {
    for (const [delayMs, signal] of [
      [0, "SIGTERM"],
      [60_000, "SIGINT"],
    ] as const) {
      const { stop, done } = stopOf(delayMs);
      void stop.signal(signal);
      assert.deepEqual([stop.draining, done], [true, [`drain ${signal}`]]);
    }
  });

  it("goes on to the next step at each further signal, and drains once", async () => {
    const { stop, done, drained } = stopOf(60_000);
    const ended = stop.signal("SIGTERM");
    await stop.signal("SIGTERM");
    drained.resolve();
    await ended;
    assert.deepEqual([stop.draining, done], [true, ["drain SIGTERM"]]);
    await stop.signal("SIGTERM");
    assert.deepEqual(done, ["drain SIGTERM", "abort"]);
  });
});
