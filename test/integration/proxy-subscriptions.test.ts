import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { answers } from "../support/fake-redis-faults.ts";
import { useProxy } from "../support/proxy-fixture.ts";

describe("the proxy, subscriptions", () => {
  const test = useProxy();

  for (const protocol of [2, 3] as const) {
    describe(`in RESP${protocol}`, () => {
      const push = (...items: (string | number)[]) => (protocol === 3 ? [">", ...items] : items);

      it("are restored on the new master without a word", async () => {
        const client = await test.client(protocol);
        client.pipeline("SUBSCRIBE a b", "PSUBSCRIBE p*", "SSUBSCRIBE s");
        assert.deepEqual(await client.replies(4), [
          push("subscribe", "a", 1),
          push("subscribe", "b", 2),
          push("psubscribe", "p*", 3),
          push("ssubscribe", "s", 4),
        ]);
        await test.loseMaster();
        test.topology.promoteSecond();
        await eventually(() => {
          const held = [...test.second.connections].flatMap(({ subscriptions }) => [...subscriptions]);
          assert.deepEqual(held.toSorted(), ["PSUBSCRIBE p*", "SSUBSCRIBE s", "SUBSCRIBE a", "SUBSCRIBE b"]);
        });
        test.second.publish("a", "hello");
        assert.deepEqual(await client.reply(), push("message", "a", "hello"));
        assert.deepEqual(client.unread, []);
      });

      it("that Redis refuses get its one error, and are none", async () => {
        const client = await test.client(protocol);
        await client.call("SUBSCRIBE a");
        test.first.once(/^SUBSCRIBE/, answers("-NOPERM No permissions to access a channel"));
        client.pipeline("SUBSCRIBE b c d", "SUBSCRIBE e", "PING", "UNSUBSCRIBE a e", "INCR n");
        const replies = await client.replies(6);
        assert.match(String(replies[0]), /^-NOPERM/);
        assert.deepEqual(replies.slice(1), [
          push("subscribe", "e", 2),
          protocol === 3 ? "+PONG" : ["pong", ""],
          push("unsubscribe", "a", 1),
          push("unsubscribe", "e", 0),
          1,
        ]);
        assert.equal(await client.call("INCR n"), 2);
        const other = await test.client();
        await other.call("SUBSCRIBE x");
        test.topology.promoteSecond();
        await eventually(() => assert.equal(test.second.publish("x", "1"), 1));
        assert.deepEqual(
          ["b", "c", "d"].map((name) => test.second.publish(name, "1")),
          [0, 0, 0],
        );
      });

      it("that were given up before aren't restored", async () => {
        const client = await test.client(protocol);
        client.pipeline("SUBSCRIBE a b", "UNSUBSCRIBE a");
        await client.replies(3);
        await test.loseMaster();
        test.topology.promoteSecond();
        await eventually(() => assert.equal(test.second.publish("b", "x"), 1));
        assert.equal(test.second.publish("a", "x"), 0);
        client.send("UNSUBSCRIBE b");
        const last = (await client.replies(2)).at(-1);
        assert.deepEqual(last, push("unsubscribe", "b", 0));
      });

      it("that are asked for while there is no master begin with the next one", async () => {
        const client = await test.client(protocol);
        await test.loseMaster();
        client.send("SUBSCRIBE a");
        await test.settled();
        assert.deepEqual(client.unread, []);
        test.topology.promoteSecond();
        assert.deepEqual(await client.reply(), push("subscribe", "a", 1));
        assert.equal(test.second.publish("a", "x"), 1);
        assert.deepEqual(await client.reply(), push("message", "a", "x"));
      });
    });
  }

  it("let a RESP3 client send other commands, before and after a failover", async () => {
    const client = await test.client(3);
    client.pipeline("SUBSCRIBE a", "INCR n");
    assert.deepEqual(await client.replies(2), [[">", "subscribe", "a", 1], 1]);
    await test.loseMaster();
    test.topology.promoteSecond();
    assert.equal(await client.call("INCR n"), 1);
    test.second.publish("a", "x");
    assert.deepEqual(await client.reply(), [">", "message", "a", "x"]);
  });

  it("of a RESP2 client allow no other command, as Redis", async () => {
    const client = await test.client();
    await client.call("SUBSCRIBE a");
    assert.match(String(await client.call("GET a")), /^-ERR Can't execute 'get'/);
    assert.deepEqual(await client.call("PING"), ["pong", ""]);
    await client.call("UNSUBSCRIBE");
    assert.equal(await client.call("GET a"), null);
  });

  it("end with their client", async () => {
    const client = await test.client();
    await client.call("SUBSCRIBE a");
    assert.equal(test.first.publish("a", "x"), 1);
    client.destroy();
    await eventually(() => assert.equal(test.first.publish("a", "x"), 0));
  });

  it("count the gap", async () => {
    const client = await test.client();
    await client.call("SUBSCRIBE a");
    await test.loseMaster();
    test.topology.promoteSecond();
    await eventually(() => assert.equal(test.second.publish("a", "x"), 1));
    assert.equal(await test.proxy.metric("redis_ha_proxy_subscription_gaps_total"), 1);
  });
});
