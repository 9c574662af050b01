import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { useProxy } from "../support/proxy-fixture.ts";

/** What a client gets that needs a connection of its own when there is none left. */
const tooMany =
  /^-ERR max number of clients with a connection of their own.*proxy:maxDedicated.*not executed/;

describe("the proxy, more clients that need a connection of their own than there may be", () => {
  const test = useProxy({ maxDedicated: 3 });

  it("refuses those beyond the bound, and nobody else: Redis must never refuse the proxy", async () => {
    const clients = await Promise.all(Array.from({ length: 5 }, () => test.client()));
    const [a, b, c, late, plain] = clients;
    assert.ok(a && b && c && late && plain);
    for (const client of [a, b, c]) assert.equal(await client.call("WATCH k"), "+OK");
    assert.match(String(await late.call("WATCH k")), tooMany);
    late.pipeline("INCR n", "MULTI", "INCR n");
    const replies = await late.replies(3);
    assert.equal(replies[0], 1);
    assert.match(String(replies[1]), tooMany);
    // MULTI was refused, so this isn't queued.
    assert.equal(replies[2], 2);
    assert.equal(await plain.call("INCR n"), 3);
    assert.equal(test.first.connections.size <= 3 + 2, true);
    // Whoever has one keeps it.
    a.pipeline("MULTI", "INCR n", "EXEC");
    assert.deepEqual((await a.replies(3)).at(-1), [4]);
    // It is free again.
    assert.equal(await late.call("WATCH k"), "+OK");
  });

  it("counts those that have gone no more", async () => {
    for (let i = 0; i < 5; i++) {
      const client = await test.client();
      assert.equal(await client.call("CLIENT TRACKING ON"), "+OK");
      client.destroy();
      await eventually(async () => assert.equal(await test.proxy.metric("redis_ha_proxy_clients"), 1));
    }
  });

  it("brings back all of them after a failover", async () => {
    const clients = await Promise.all(Array.from({ length: 3 }, () => test.client()));
    for (const client of clients) await client.call("SUBSCRIBE news");
    test.topology.promoteSecond();
    await eventually(() => {
      const subscribed = test.second.log.filter(({ text }) => /^subscribe news/i.test(text));
      assert.equal(subscribed.length, 3);
    });
    const late = await test.client();
    assert.match(String(await late.call("SUBSCRIBE news")), tooMany);
  });
});
