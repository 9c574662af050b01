import assert from "node:assert/strict";
import type { ReplicaView } from "../../../../quorum/ask-sentinel.ts";
import { parseAddress } from "../../../../runtime/address.ts";
import { forecastPromotion } from "../../../../sentinel-image/failover/forecast-promotion.ts";
import { instance } from "../../../support/sentinel-views.ts";

const sentinel = parseAddress("sentinel-1:26379");
const replica = (index: number, seen: Partial<ReplicaView> = {}): ReplicaView => ({
  address: instance(index),
  promotable: true,
  eligible: true,
  priority: 100,
  offset: 1000,
  runId: `run-${index}`,
  ...seen,
});

describe("the forecast of a promotion", () => {
  const rows: readonly (readonly [name: string, replicas: ReplicaView[], replica: number])[] = [
    [
      "takes the lowest priority before all else",
      [replica(2, { offset: 9999 }), replica(3, { priority: 50 })],
      3,
    ],
    ["then the most data", [replica(2), replica(3, { offset: 1001 })], 3],
    ["then the first run ID", [replica(3), replica(2)], 2],
    ["passes over those that the Sentinel can't promote", [replica(2, { promotable: false }), replica(3)], 3],
  ];
  for (const [name, replicas, index] of rows) {
    it(name, () => {
      const forecast = forecastPromotion(sentinel, replicas);
      assert.deepEqual(forecast?.replica, instance(index));
      assert.deepEqual(forecast.sentinel, sentinel);
      const candidates = replicas.filter(({ promotable }) => promotable).map(({ address }) => address);
      assert.deepEqual(forecast.candidates, candidates);
      assert.equal(forecast.priority, replicas.find(({ address }) => address === forecast.replica)?.priority);
    });
  }

  it("counts a replica without a link when the master is dead: none has one", () => {
    const unlinked = [replica(2, { promotable: false }), replica(3, { promotable: false, eligible: false })];
    const forecast = forecastPromotion(sentinel, unlinked, { masterLives: false });
    assert.deepEqual(forecast?.candidates, [instance(2)]);
    assert.equal(forecast.offset, 1000);
  });

  it("is none when the Sentinel has nobody to promote", () => {
    assert.equal(forecastPromotion(sentinel, [replica(2, { promotable: false })]), undefined);
    assert.equal(forecastPromotion(sentinel, []), undefined);
  });
});
