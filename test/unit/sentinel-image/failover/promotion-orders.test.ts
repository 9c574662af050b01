import assert from "node:assert/strict";
import { renderHello } from "../../../../sentinel-image/failover/announce-promotion.ts";
import { FailoverEpoch } from "../../../../sentinel-image/failover/promotion-orders.ts";

const tries = (name: string): [string, string] => ["+try-failover", `master ${name} 10.0.0.1 6379`];
const raises = (epoch: number): [string, string] => ["+new-epoch", String(epoch)];
const orders: [string, string] = [
  "+failover-state-wait-promotion",
  "slave 10.0.0.2:6379 10.0.0.2 6379 @ ha 10.0.0.1 6379",
];

describe("the epoch of a Sentinel's failover", () => {
  const rows: readonly (readonly [
    name: string,
    events: readonly (readonly [string, string])[],
    epoch: number | undefined,
  ])[] = [
    ["is the one that it raised before it tried", [raises(7), tries("ha"), orders], 7],
    ["isn't one that it hears of later", [raises(7), tries("ha"), raises(9), orders], 7],
    ["isn't one that it heard of before", [raises(6), raises(7), tries("ha"), orders], 7],
    ["is that of the last attempt", [raises(7), tries("ha"), raises(8), tries("ha"), orders], 8],
    [
      "isn't that of another master's failover",
      [raises(7), tries("ha"), raises(8), tries("other"), orders],
      7,
    ],
    ["is unknown to those who came later", [orders], undefined],
    ["is unknown to those who came between the two", [tries("ha"), orders], undefined],
    [
      "is forgotten once the failover is over",
      [raises(7), tries("ha"), ["+switch-master", "ha 10.0.0.1 6379 10.0.0.2 6379"], orders],
      undefined,
    ],
    [
      "is unknown after the connection was lost",
      [raises(7), tries("ha"), ["reconnected", ""], orders],
      undefined,
    ],
  ];
  for (const [name, events, epoch] of rows) {
    it(name, () => {
      const failover = new FailoverEpoch("ha");
      for (const [channel, message] of events) failover.hear(channel, message);
      assert.equal(failover.current, epoch);
    });
  }
});

it("the announcement of a promotion is the hello that the leader will send", () => {
  const sender = { host: "sentinel-1", port: 26379, id: "f".repeat(40), votedEpoch: 3, helloMs: 100 };
  const heir = { host: "redis-2", port: 6379 };
  const order = { leader: sender, heir, epoch: 7, heardAtMs: 0 };
  assert.equal(renderHello(sender, order, "ha"), `sentinel-1,26379,${"f".repeat(40)},7,ha,redis-2,6379,7`);
});
