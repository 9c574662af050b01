import assert from "node:assert/strict";
import { agree, majorityOf, majoritySeesUp, type SentinelView } from "../../../quorum/agreement.ts";
import { instance, view } from "../../support/sentinel-views.ts";

/** `agreed` is [number of the master, epoch, votes]. */
interface Row {
  readonly name: string;
  readonly views: readonly SentinelView[];
  readonly sentinelCount?: number;
  readonly minEpoch?: number;
  readonly agreed?: readonly [master: number, configEpoch: number, votes: number];
  readonly refused?: RegExp;
}

const rows: readonly Row[] = [
  { name: "all three agree", views: [view(1, 1, 4), view(2, 1, 4), view(3, 1, 4)], agreed: [1, 4, 3] },
  { name: "two of three answer and agree", views: [view(1, 1, 4), view(3, 1, 4)], agreed: [1, 4, 2] },
  { name: "nobody answers", views: [], refused: /0 of 3 Sentinels answer, 2 are needed/ },
  { name: "a minority answers", views: [view(2, 1, 4)], refused: /1 of 3 Sentinels answer/ },
  {
    name: "one Sentinel that is listed twice is no majority",
    views: [view(1, 1, 4), view(1, 1, 4)],
    refused: /1 of 3 Sentinels answer/,
  },
  {
    name: "two of four are no majority",
    views: [view(1, 1, 4), view(2, 1, 4), view(3, 2, 4)],
    sentinelCount: 4,
    refused: /disagree/,
  },
  {
    name: "a lying Sentinel is outvoted at the same epoch",
    views: [view(1, 3, 4), view(2, 1, 4), view(3, 1, 4)],
    agreed: [1, 4, 2],
  },
  {
    name: "an outdated Sentinel is outvoted",
    views: [view(1, 1, 3), view(2, 2, 4), view(3, 2, 4)],
    agreed: [2, 4, 2],
  },
  {
    name: "right after a failover the leader alone has the higher epoch: no agreement on the old master",
    views: [view(1, 2, 5), view(2, 1, 4), view(3, 1, 4)],
    refused:
      /sentinel-1:26379 names redis-2:6379 at epoch 5, newer than the majority's redis-1:6379 at epoch 4/,
  },
  {
    name: "one Sentinel can't raise the epoch of the master that the majority names",
    views: [view(1, 1, 900), view(2, 1, 4), view(3, 1, 4)],
    agreed: [1, 4, 3],
  },
  {
    name: "three names by three Sentinels",
    views: [view(1, 1, 4), view(2, 2, 4), view(3, 3, 4)],
    refused: /the Sentinels disagree: sentinel-1:26379→redis-1:6379, sentinel-2:26379→redis-2:6379/,
  },
  {
    name: "a majority below the epoch that was accepted before is outdated",
    views: [view(1, 1, 4), view(2, 1, 4), view(3, 1, 4)],
    minEpoch: 5,
    refused: /epoch 4, but epoch 5 was already seen/,
  },
  {
    name: "a majority at the accepted epoch is good",
    views: [view(1, 1, 5), view(2, 1, 5)],
    minEpoch: 5,
    agreed: [1, 5, 2],
  },
  {
    name: "one Sentinel alone is its own majority",
    views: [view(1, 1, 0)],
    sentinelCount: 1,
    agreed: [1, 0, 1],
  },
];

describe("agree", () => {
  for (const { name, views, sentinelCount = 3, minEpoch, agreed, refused } of rows) {
    it(name, () => {
      const agreement = agree(views, { sentinelCount, ...(minEpoch === undefined ? {} : { minEpoch }) });
      if (agreed !== undefined) {
        const [master, configEpoch, votes] = agreed;
        assert.deepEqual(agreement, { kind: "agreed", master: instance(master), configEpoch, votes });
      } else {
        assert.ok(agreement.kind === "none", JSON.stringify(agreement));
        assert.match(agreement.reason, refused ?? /^$/);
      }
    });
  }

  it("doesn't depend on the order of the answers", () => {
    const views = [view(1, 2, 5), view(2, 2, 5), view(3, 1, 4)];
    const [a, b, c] = views as [SentinelView, SentinelView, SentinelView];
    for (const order of [
      [a, b, c],
      [a, c, b],
      [b, a, c],
      [b, c, a],
      [c, a, b],
      [c, b, a],
    ]) {
      assert.deepEqual(agree(order, { sentinelCount: 3 }), agree(views, { sentinelCount: 3 }));
    }
  });

  it("needs more than half", () => {
    assert.deepEqual([1, 2, 3, 4, 5].map(majorityOf), [1, 2, 2, 3, 3]);
  });

  it("sees a master up when a majority of all Sentinels names it without any doubt", () => {
    const up = (...views: SentinelView[]): boolean => majoritySeesUp(views, instance(1), 3);
    assert.ok(up(view(1, 1, 1), view(2, 1, 1), view(3, 1, 1, ["master", "s_down"])));
    assert.ok(!up(view(1, 1, 1), view(2, 1, 1, ["s_down", "master"]), view(3, 1, 1, ["master", "o_down"])));
    assert.ok(!up(view(1, 1, 1), view(2, 1, 1, ["master", "failover_in_progress"])));
    assert.ok(!up(view(1, 1, 1), view(2, 2, 1), view(3, 2, 1)));
    assert.ok(!up(view(1, 1, 1)));
  });
});
