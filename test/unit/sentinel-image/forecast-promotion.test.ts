import assert from "node:assert/strict";
import { parseAddress } from "../../../quorum/address.ts";
import type { ReplicaView } from "../../../quorum/ask-sentinel.ts";
import {
  chooseForecast,
  forecastPromotion,
  type PromotionForecast,
} from "../../../sentinel-image/forecast-promotion.ts";
import { instance } from "../../support/sentinel-views.ts";

const sentinel = parseAddress("sentinel-1:26379");
const replica = (index: number, seen: Partial<ReplicaView> = {}): ReplicaView => ({
  address: instance(index),
  promotable: true,
  priority: 100,
  offset: 1000,
  runId: `run-${index}`,
  askedMsAgo: 600,
  ...seen,
});

describe("the forecast of a promotion", () => {
  // A wrong guess costs the clients a second: the Sentinel looks at the promoted replica once a second.
  const rows: readonly (readonly [name: string, replicas: ReplicaView[], replica: number, inMs: number])[] = [
    [
      "takes the lowest priority before all else",
      [replica(2, { offset: 9999 }), replica(3, { priority: 50 })],
      3,
      400,
    ],
    ["then the most data", [replica(2), replica(3, { offset: 1001 })], 3, 400],
    ["then the first run ID", [replica(3), replica(2)], 2, 400],
    [
      "passes over those that the Sentinel can't promote",
      [replica(2, { promotable: false }), replica(3)],
      3,
      400,
    ],
    [
      "counts on the next question when the promotion is over by then",
      [replica(2, { askedMsAgo: 700 })],
      2,
      300,
    ],
    ["counts on the one after that when it isn't", [replica(2, { askedMsAgo: 701 })], 2, 1299],
    ["knows that an overdue question is about to be asked", [replica(2, { askedMsAgo: 5000 })], 2, 1000],
  ];
  for (const [name, replicas, index, announcedInMs] of rows) {
    it(name, () => {
      const forecast = forecastPromotion(sentinel, replicas);
      assert.deepEqual(forecast?.replica, instance(index));
      assert.equal(forecast.announcedInMs, announcedInMs);
      assert.deepEqual(forecast.sentinel, sentinel);
    });
  }

  it("is none when the Sentinel has nobody to promote", () => {
    assert.equal(forecastPromotion(sentinel, [replica(2, { promotable: false })]), undefined);
    assert.equal(forecastPromotion(sentinel, []), undefined);
  });
});

describe("the choice among forecasts", () => {
  const forecast = (index: number, announcedInMs: number): PromotionForecast => ({
    sentinel: parseAddress(`sentinel-${index}:26379`),
    replica: instance(2),
    priority: 50,
    announcedInMs,
  });

  it("takes the soonest announcement", () => {
    const forecasts = [forecast(1, 340), forecast(2, 300), forecast(3, 1100)];
    assert.equal(chooseForecast(forecasts, 0), forecasts[1]);
  });
  it("waits for a good moment for two seconds", () => {
    assert.equal(chooseForecast([forecast(1, 401)], 2000), undefined);
    assert.ok(chooseForecast([forecast(1, 400)], 2000));
  });
  it("takes less and less good ones after that, and any in the end", () => {
    assert.ok(chooseForecast([forecast(1, 600)], 2100));
    assert.equal(chooseForecast([forecast(1, 1299)], 2100), undefined);
    assert.ok(chooseForecast([forecast(1, 1299)], 2450));
  });
  it("is none without a forecast", () => assert.equal(chooseForecast([], 10_000), undefined));
});
