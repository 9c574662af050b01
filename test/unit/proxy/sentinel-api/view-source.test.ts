import assert from "node:assert/strict";
import { ViewSource } from "../../../../proxy/sentinel-api/view-source.ts";
import type { SentinelView } from "../../../../quorum/agreement.ts";

const [master, other] = [
  { host: "redis-1", port: 6379 },
  { host: "redis-2", port: 6379 },
];
const settings = { quorum: 3, downAfterMs: 1500, failoverTimeoutMs: 6000, parallelSyncs: 2 };

describe("ViewSource", () => {
  let nowMs: number;
  let said: SentinelView[];
  let source: ViewSource;
  beforeEach(() => {
    nowMs = 1000;
    said = [];
    source = new ViewSource({
      masterName: "mymaster",
      announced: { host: "proxy", port: 6379 },
      announcedSentinel: { host: "proxy", port: 26379 },
      sentinelCount: 5,
      holdTimeoutMs: 10_000,
      sentinelViews: () => said,
      now: () => nowMs,
    });
  });
  const follow = (where: typeof master, configEpoch: number): void =>
    source.observe({ kind: "following", master: where, configEpoch });
  const lose = (): void => source.observe({ kind: "searching", reason: "test" });
  const state = (): unknown[] => {
    const { following, unchangedForMs, configEpoch } = source.view();
    return [following, unchangedForMs, configEpoch];
  };

  it("is down before the first master, with what is known", () => {
    nowMs = 1700;
    const { runId, myId, ...view } = source.view();
    assert.deepEqual(view, {
      masterName: "mymaster",
      announced: { host: "proxy", port: 6379 },
      announcedSentinel: { host: "proxy", port: 26379 },
      configEpoch: 0,
      quorum: 3,
      sentinelCount: 5,
      reachableSentinels: 0,
      replicaCount: 0,
      downAfterMs: 30_000,
      failoverTimeoutMs: 180_000,
      parallelSyncs: 1,
      following: false,
      unchangedForMs: 700,
    });
    assert.match(`${runId} ${myId}`, /^[0-9a-f]{40} [0-9a-f]{40}$/);
    assert.notEqual(runId, myId);
    assert.deepEqual([source.view().runId, source.view().myId], [runId, myId]);
  });

  it("doesn't show a failover that the clients are held through", () => {
    follow(master, 1);
    nowMs = 5000;
    lose();
    nowMs = 14_999;
    assert.deepEqual(state(), [true, 13_999, 1]);
    lose();
    follow(other, 2);
    nowMs = 60_000;
    assert.deepEqual(state(), [true, 59_000, 2]);
  });

  it("is down from the hold deadline on, until there is a master again", () => {
    follow(master, 1);
    nowMs = 5000;
    lose();
    nowMs = 15_000;
    assert.deepEqual(state(), [false, 0, 1]);
    lose();
    nowMs = 20_000;
    assert.deepEqual(state(), [false, 5000, 1]);
    follow(other, 2);
    nowMs = 20_100;
    assert.deepEqual(state(), [true, 100, 2]);
  });

  it("tells the Sentinels' own numbers, and the last of them while none answers", () => {
    const from = (port: number): SentinelView => ({
      sentinel: { host: "s", port },
      master,
      configEpoch: 1,
      flags: ["master"],
      replicas: 4,
      otherSentinels: 4,
    });
    said = [from(1), { ...from(2), settings }];
    const { quorum, downAfterMs, failoverTimeoutMs, parallelSyncs, replicaCount, reachableSentinels } =
      source.view();
    assert.deepEqual({ quorum, downAfterMs, failoverTimeoutMs, parallelSyncs }, settings);
    assert.deepEqual([replicaCount, reachableSentinels], [4, 2]);
    said = [];
    const later = source.view();
    assert.deepEqual([later.quorum, later.replicaCount, later.reachableSentinels], [3, 4, 0]);
    assert.equal(later.downAfterMs, 1500);
  });
});
