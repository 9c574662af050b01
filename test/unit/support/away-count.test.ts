import assert from "node:assert/strict";
import type { V1Pod } from "@kubernetes/client-node";
import { AwayCount } from "../../support/away-watch.ts";
import { spread } from "../../support/rollout-table.ts";

function pod(name: string, kind: string, { ready = true, leaving = false } = {}): V1Pod {
  return {
    metadata: {
      name,
      labels: { "app.kubernetes.io/component": kind },
      ...(leaving ? { deletionTimestamp: new Date(0) } : {}),
    },
    status: { conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
  };
}

describe("how many pods of a kind are away at once", () => {
  function counted(): AwayCount {
    const count = new AwayCount({ redis: 2, sentinel: 1, proxy: 1 });
    for (const name of ["r1", "r2"]) count.observe("ADDED", pod(name, "redis"));
    count.observe("ADDED", pod("s1", "sentinel"));
    count.observe("ADDED", pod("p1", "proxy"));
    count.take();
    return count;
  }

  it("none while all are ready, and a new one more than wanted", () => {
    const count = counted();
    count.observe("ADDED", pod("p2", "proxy", { ready: false }));
    count.observe("MODIFIED", pod("p2", "proxy"));
    count.observe("MODIFIED", pod("p1", "proxy", { leaving: true }));
    assert.deepEqual(count.take(), { most: { redis: 0, sentinel: 0, proxy: 0 }, worst: [] });
  });

  it("one that ends, until its successor is ready", () => {
    const count = counted();
    count.observe("MODIFIED", pod("r1", "redis", { leaving: true }));
    count.observe("DELETED", pod("r1", "redis"));
    count.observe("ADDED", pod("r1b", "redis", { ready: false }));
    assert.equal(count.take().most.redis, 1);
    assert.equal(count.take().most.redis, 1);
    count.observe("MODIFIED", pod("r1b", "redis"));
    count.take();
    assert.equal(count.take().most.redis, 0);
  });

  it("two together, however short, with their moment", () => {
    const count = counted();
    count.observe("MODIFIED", pod("r1", "redis", { ready: false }));
    count.observe("MODIFIED", pod("r2", "redis", { leaving: true }));
    count.observe("MODIFIED", pod("r1", "redis"));
    const { most, worst } = count.take();
    assert.equal(most.redis, 2);
    assert.deepEqual(worst, ["2 redis away when r2 changed, ready: "]);
  });
});

describe("the spread of figures", () => {
  it("is the median with the least and the most", () => {
    assert.equal(spread([3.4]), "3");
    assert.equal(spread([9, 1, 4]), "4 (1–9)");
    assert.equal(spread([9, 1, 4, 6]), "5 (1–9)");
  });
});
