import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../support/eventually.ts";
import { executesSilently, waitsFor } from "../support/fake-redis-faults.ts";
import { masterName } from "../support/fake-topology.ts";
import { notExecuted, uncertain, useProxy } from "../support/proxy-fixture.ts";

describe("the proxy, which Redis it believes", () => {
  const test = useProxy();

  it("follows the Sentinels' word when nothing else has happened, and leaves no old connection", async () => {
    const client = await test.client();
    await client.call("INCR a");
    test.first.role = "slave";
    test.topology.promoteSecond();
    await eventually(() => assert.equal(test.first.connections.size, 0));
    assert.equal(await client.call("INCR a"), 1);
    assert.equal(test.first.data.text("a"), "1");
    assert.equal(await test.proxy.metric("redis_ha_proxy_failovers_total"), 1);
  });

  it("finds out by itself that an idle master is frozen, and writes nothing to it any more", async () => {
    const client = await test.client();
    await client.call("INCR a");
    test.first.freeze();
    await test.proxy.holds();
    client.pipeline("INCR b", "GET b");
    await test.settled();
    test.topology.promoteSecond();
    assert.deepEqual(await client.replies(2), [1, "1"]);
    test.first.thaw();
    await eventually(() => assert.equal(test.first.connections.size, 0));
    assert.equal(test.first.data.text("b"), undefined);
  });

  it("asks an idle connection whether the master is still awake", async () => {
    const client = await test.client();
    await client.call("INCR a");
    const shared = test.first.connectionOf("INCR a");
    const pings = () =>
      test.first.log.filter(({ connection, text }) => connection === shared && text === "PING").length;
    const before = pings();
    await eventually(() => assert.ok(pings() > before), { withinMs: 2000, everyMs: 5 });
  });

  it("gives up what a frozen master has: reads are sent again, the rest is UNCERTAIN", async () => {
    const client = await test.client();
    await client.call("INCR a");
    test.first.freeze();
    client.pipeline("GET a", "INCR a", "GET b");
    test.topology.promoteSecond();
    const [getA, incrA, getB] = await client.replies(3, 4000);
    assert.deepEqual([getA, getB], [null, null]);
    assert.match(String(incrA), uncertain);
    assert.equal(await client.call("INCR b"), 1);
  });

  it("gives nothing up while the master is only busy: the Sentinels see it up, and it answers in the end", async () => {
    const client = await test.client();
    await client.call("INCR a");
    test.first.freeze();
    client.pipeline("INCR a", "GET a", "INCR a");
    await delay(2000);
    assert.deepEqual(client.unread, []);
    test.first.thaw();
    assert.deepEqual(await client.replies(3), [2, "2", 3]);
    assert.equal(await test.proxy.metric("redis_ha_proxy_failovers_total"), 0);
  });

  it("gives up what a master has that the Sentinels see down, before another one is promoted", async () => {
    const client = await test.client();
    await client.call("INCR a");
    test.topology.seesDown();
    test.first.freeze();
    client.send("INCR a");
    assert.match(String(await client.reply(4000)), uncertain);
    test.topology.promoteSecond();
    assert.equal(await client.call("INCR b"), 1);
  });

  it("doesn't take a slow command for a frozen master", async () => {
    const [slow, other] = [await test.client(), await test.client()];
    test.first.once(/^EVAL/, waitsFor(delay(1200)));
    slow.send("EVAL", "slow", "1", "a");
    await eventually(() => assert.ok(test.first.arrived.includes("EVAL slow 1 a")));
    other.send("INCR b");
    assert.equal(await slow.reply(3000), 1);
    assert.equal(await other.reply(3000), 1);
    assert.deepEqual(test.first.executed.toSorted(), ["EVAL slow 1 a", "INCR b"]);
  });

  it("writes nothing to one that the Sentinels name but that isn't a master yet", async () => {
    const client = await test.client();
    await client.call("INCR a");
    await test.first.stop();
    test.topology.announce(test.second);
    await test.proxy.holds();
    client.pipeline("INCR a", "GET a", "MULTI");
    await eventually(() => assert.ok(test.second.log.filter(({ text }) => text === "ROLE").length >= 3));
    assert.deepEqual(test.second.arrived, []);
    assert.deepEqual(client.unread, []);
    test.second.role = "master";
    assert.deepEqual(await client.replies(3), [1, "1", "+OK"]);
  });

  it("asks on each new connection whether it is the master's still", async () => {
    const [one, two] = [await test.client(), await test.client()];
    await one.call("INCR a");
    test.first.role = "slave";
    two.pipeline("MULTI", "GET a", "EXEC");
    await test.proxy.holds();
    assert.ok(!test.first.arrived.includes("MULTI"));
    test.topology.promoteSecond();
    assert.deepEqual(await two.replies(3), ["+OK", "+QUEUED", [null]]);
  });

  it("doesn't go back to a lower epoch, even when all Sentinels say so and the old master believes it is one", async () => {
    const client = await test.client();
    test.topology.announce(test.second, 5);
    test.second.role = "master";
    await eventually(async () => {
      await client.call("INCR a");
      assert.ok(test.second.executed.includes("INCR a"));
    });
    const before = test.first.arrived.length;
    test.topology.announce(test.first, 4);
    for (let i = 0; i < 5; i++) {
      client.send("INCR b");
      await test.rounds(1);
    }
    assert.equal(test.first.arrived.length, before);
    assert.equal(test.first.data.text("b"), undefined);
    // Whatever it did meanwhile, what the new master answers is what it counts.
    test.topology.announce(test.second, 5);
    await client.replies(5);
  });

  it("doesn't go back to one that is being replaced, though it was given up meanwhile and is there again", async () => {
    const client = await test.client();
    await client.call("INCR a");
    test.topology.seesDown();
    test.first.freeze();
    await test.proxy.holds();
    const { address } = test.first;
    const begins = `slave x ${test.second.address.host} ${test.second.address.port} @ ${masterName} ${address.host} ${address.port}`;
    for (const sentinel of test.topology.sentinels) sentinel.publish("+selected-slave", begins);
    await eventually(() => {
      const { state } = test.proxy.server.watcher;
      assert.ok(state.kind === "searching" && state.suspect === undefined, JSON.stringify(state));
    });
    // It wakes up after its heir was promoted, and before a Sentinel has said so.
    test.second.role = "master";
    for (const sentinel of test.topology.sentinels) sentinel.flags = "master";
    test.first.thaw();
    client.send("INCR b");
    await test.probes(test.first, 3);
    assert.deepEqual(client.unread, []);
    assert.ok(!test.first.arrived.includes("INCR b"));
    test.topology.announce(test.second);
    assert.equal(await client.reply(), 1);
    assert.deepEqual(test.second.executed, ["INCR b"]);
  });

  it("holds writes in time: what is in flight when the master changes isn't acknowledged by the old one", async () => {
    const client = await test.client();
    test.first.once(/^INCR a/, executesSilently);
    client.send("INCR a");
    await eventually(() => assert.ok(test.first.arrived.includes("INCR a")));
    test.topology.promoteSecond();
    assert.match(String(await client.reply()), uncertain);
    assert.equal(await client.call("INCR b"), 1);
    assert.deepEqual(test.second.executed, ["INCR b"]);
  });
});

describe("the proxy, how long it waits for an answer", () => {
  const holdTimeoutMs = 1500;
  const test = useProxy({ holdTimeoutMs });

  it("is the hold time, for a master that is frozen though the Sentinels see it up", async () => {
    const client = await test.client();
    await client.call("INCR a");
    test.first.freeze();
    client.pipeline("INCR a", "GET a");
    const [incr, get] = await client.replies(2, holdTimeoutMs + 2000);
    assert.match(String(incr), uncertain);
    assert.match(String(get), notExecuted);
    test.first.thaw();
    await eventually(async () => assert.notEqual(await client.call("INCR b"), undefined));
  });

  it("is the hold time, on a connection that leads to nobody while the master answers on others", async () => {
    const client = await test.client();
    test.first.once(/^INCR a/, executesSilently);
    client.pipeline("INCR a", "GET b");
    const [incr, get] = await client.replies(2, holdTimeoutMs + 2000);
    assert.match(String(incr), uncertain);
    assert.equal(get, null);
    assert.equal(await client.call("INCR b"), 1);
    assert.equal(await test.proxy.metric("redis_ha_proxy_failovers_total"), 0);
  });
});
