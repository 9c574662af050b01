import assert from "node:assert/strict";
import {
  isRewriteDue,
  planRewrite,
  type RewriteObservation,
  type RewriteView,
} from "../../../../sentinel-image/supervise/plan-rewrite.ts";

const MiB = 2 ** 20;

function view(change: Partial<RewriteView> = {}): RewriteView {
  return {
    rank: 1,
    role: "replica",
    currentBytes: 210 * MiB,
    baseBytes: 100 * MiB,
    rewriting: false,
    sending: false,
    loading: false,
    ...change,
  };
}

/** A replica whose file has doubled, alone with a master and a replica that have nothing to do. */
function observe(change: Partial<RewriteObservation> = {}): RewriteObservation {
  return {
    own: view(),
    peers: [view({ rank: 0, currentBytes: 150 * MiB }), view({ rank: 2, role: "master", currentBytes: 0 })],
    silentPeers: 0,
    freeBytes: 10_000 * MiB,
    neededBytes: 120 * MiB,
    startedForMs: undefined,
    yields: 0,
    waitedMs: 0,
    backOffMs: 0,
    ...change,
  };
}

describe("isRewriteDue", () => {
  it("is Redis' own rule: twice the base, and 64 MiB", () => {
    assert.equal(isRewriteDue(view({ currentBytes: 200 * MiB })), true);
    assert.equal(isRewriteDue(view({ currentBytes: 200 * MiB - 1 })), false);
    assert.equal(isRewriteDue(view({ currentBytes: 63 * MiB, baseBytes: MiB })), false);
    assert.equal(isRewriteDue(view({ currentBytes: 64 * MiB, baseBytes: MiB })), true);
  });
});

describe("planRewrite", () => {
  const start = { kind: "start", urgent: false };
  const cases: readonly [what: string, change: Partial<RewriteObservation>, expected: object][] = [
    ["starts when nobody else is at it", {}, start],
    ["isn't due", { own: view({ currentBytes: 199 * MiB }) }, { kind: "none" }],
    ["waits for a peer that doesn't answer", { silentPeers: 1 }, { kind: "wait" }],
    ["goes on without it after 10 s", { peers: [], silentPeers: 2, waitedMs: 10_000 }, start],
    ["waits for a peer's rewrite", { peers: [view({ rank: 5, rewriting: true })] }, { kind: "wait" }],
    [
      "waits for a peer's rewrite however long it lasts",
      { peers: [view({ rewriting: true })], waitedMs: 999_999 },
      { kind: "wait" },
    ],
    [
      "waits while the master sends all data",
      { peers: [view({ role: "master", sending: true })] },
      { kind: "wait" },
    ],
    ["lets an instance before it go first", { peers: [view({ rank: 0 })] }, { kind: "wait" }],
    [
      "doesn't wait for ever for one that doesn't start",
      { peers: [view({ rank: 0 })], waitedMs: 10_000 },
      start,
    ],
    ["goes before an instance after it", { peers: [view({ rank: 2 })] }, start],
    ["goes before the master", { peers: [view({ rank: 0, role: "master" })] }, start],
    [
      "as the master, lets a replica go first",
      { own: view({ rank: 0, role: "master" }), peers: [view({ rank: 2 })] },
      { kind: "wait" },
    ],
    ["isn't kept waiting by one that loads", { peers: [view({ rank: 0, loading: true })] }, start],
    ["never beside its own copy for a replica", { own: view({ sending: true }) }, { kind: "none" }],
    ["never while it loads", { own: view({ loading: true }) }, { kind: "none" }],
    ["backs off", { backOffMs: 1 }, { kind: "none" }],
    [
      "backs off, however long the file",
      { backOffMs: 1, own: view({ currentBytes: 9000 * MiB }) },
      { kind: "none" },
    ],
    [
      "waits for nobody when the file is eight times its base",
      { own: view({ currentBytes: 800 * MiB }), peers: [view({ rank: 0, rewriting: true })] },
      { kind: "start", urgent: true },
    ],
    [
      "waits for nobody when the volume becomes full",
      { freeBytes: 239 * MiB, peers: [view({ rank: 0, rewriting: true })] },
      { kind: "start", urgent: true },
    ],
    [
      "keeps its turn while the volume has room for two more files",
      { freeBytes: 240 * MiB, peers: [view({ rank: 0, rewriting: true })] },
      { kind: "wait" },
    ],
    ["doesn't fill the volume itself", { freeBytes: 119 * MiB }, { kind: "no-room" }],
  ];
  for (const [what, change, expected] of cases) {
    it(what, () => assert.deepEqual(planRewrite(observe(change)), expected));
  }

  describe("when two have started at once", () => {
    const both = { own: view({ rewriting: true }), startedForMs: 500 };
    const other = (rank: number) => [view({ rank, rewriting: true })];
    it("the later one in the order gives way, the other one doesn't", () => {
      assert.deepEqual(planRewrite(observe({ ...both, peers: other(0) })), { kind: "yield" });
      assert.deepEqual(planRewrite(observe({ ...both, peers: other(2) })), { kind: "none" });
    });
    it("nobody gives way for a fork that isn't a rewrite, late, for the fourth time, or when it's urgent", () => {
      for (const change of [
        { peers: [view({ rank: 0, sending: true })] },
        { startedForMs: 3000 },
        { yields: 3 },
        { own: view({ rewriting: true, currentBytes: 800 * MiB }) },
      ]) {
        assert.deepEqual(planRewrite(observe({ ...both, peers: other(0), ...change })), { kind: "none" });
      }
    });
    it("one that Redis itself has started, after a full copy, isn't ended: Redis would start it again", () => {
      assert.deepEqual(planRewrite(observe({ ...both, startedForMs: undefined, peers: other(0) })), {
        kind: "none",
      });
    });
  });

  it("lets exactly one of any number of equal instances start", () => {
    const all = [0, 1, 2, 3, 4].map((rank) => view({ rank, role: rank === 3 ? "master" : "replica" }));
    const starts = all.filter(
      (own) => planRewrite(observe({ own, peers: all.filter((peer) => peer !== own) })).kind === "start",
    );
    assert.deepEqual(starts, [all[0]]);
  });
});
