import assert from "node:assert/strict";
import { blockingCases } from "../support/departing-client.ts";
import { eventually } from "../support/eventually.ts";
import {
  answersBytes,
  closesAfter,
  closesBefore,
  executesSilently,
  halfAnswers,
  ignores,
  waitsFor,
} from "../support/fake-redis-faults.ts";
import { uncertain, useProxy } from "../support/proxy-fixture.ts";

describe("the proxy, commands in flight on a connection that is lost", () => {
  const test = useProxy();

  for (const [how, fault] of [
    ["before they are executed", closesBefore],
    ["after they are executed", closesAfter],
    ["in the middle of their reply", halfAnswers],
    ["with garbage for a reply", answersBytes("HTTP/1.1 400 Bad Request\r\n\r\n")],
  ] as const) {
    it(`are sent again when they only read: ${how}`, async () => {
      const client = await test.client();
      await client.call("SET a hello");
      test.first.once(/^GET/, fault);
      assert.equal(await client.call("GET a"), "hello");
      assert.equal(await client.call("STRLEN a"), 5);
      assert.deepEqual(client.unread, []);
    });

    it(`get UNCERTAIN otherwise, aren't sent again and their connection works on: ${how}`, async () => {
      const client = await test.client();
      test.first.once(/^INCR/, fault);
      assert.match(String(await client.call("INCR a")), uncertain);
      assert.equal(await client.call("EXISTS b"), 0);
      const times = test.first.executed.filter((text) => text === "INCR a").length;
      assert.equal(times, fault === closesBefore ? 0 : 1);
      assert.equal(test.first.arrived.filter((text) => text === "INCR a").length, 1);
      assert.ok(client.isOpen);
      assert.deepEqual(client.unread, []);
    });
  }

  for (const command of ["SET a 1", "DEL a", "PUBLISH c m", "EVAL return 1 a", "APPEND a x", "FLUSHALL"]) {
    it(`get UNCERTAIN: ${command}`, async () => {
      const client = await test.client();
      test.first.once(new RegExp(`^${command}$`), closesAfter);
      assert.match(String(await client.call(command)), uncertain);
      assert.equal(await client.call("EXISTS b"), 0);
      assert.equal(test.first.arrived.filter((text) => text === command).length, 1);
    });
  }

  it("get their replies in the order of the pipeline, whatever becomes of each", async () => {
    const client = await test.client();
    test.first.once(/^INCR b/, closesAfter);
    client.pipeline("INCR a", "GET a", "INCR b", "GET b", "INCR c", "GET c", "STRLEN a");
    const [incrA, getA, incrB, getB, incrC, getC, strlen] = await client.replies(7);
    assert.deepEqual([incrA, getA, getB, getC, strlen], [1, "1", "1", null, 1]);
    assert.match(String(incrB), uncertain);
    assert.match(String(incrC), uncertain);
    assert.deepEqual(
      test.first.executed.filter((text) => text.startsWith("INCR")),
      ["INCR a", "INCR b"],
    );
  });

  it("of several clients are told apart", async () => {
    const [reader, writer, other] = [await test.client(), await test.client(), await test.client()];
    await other.call("SET k v");
    const gate = Promise.withResolvers<void>();
    test.first.once(/^GET gate/, waitsFor(gate.promise));
    other.send("GET gate");
    await eventually(() => assert.ok(test.first.arrived.includes("GET gate")));
    writer.send("INCR a");
    reader.pipeline("GET k", "GET k");
    await test.settled();
    // Whatever of it shares a connection is lost with it.
    test.first.disconnectAll();
    gate.resolve();
    assert.deepEqual(await reader.replies(2), ["v", "v"]);
    assert.equal(await other.reply(), null);
    const reply = await writer.reply();
    assert.ok(reply === 1 || uncertain.test(String(reply)), String(reply));
    for (const client of [reader, writer, other]) assert.equal(await client.call("EXISTS x"), 0);
  });

  it("are sent again to the new master when it is another one, or get UNCERTAIN", async () => {
    const client = await test.client();
    test.second.data.set("a", "copied");
    test.first.once(/^INCR b/, executesSilently);
    client.pipeline("INCR b", "GET a", "INCR c");
    await eventually(() => assert.ok(test.first.arrived.includes("INCR b")));
    await test.first.stop();
    test.topology.promoteSecond();
    const [incrB, getA, incrC] = await client.replies(3);
    assert.equal(getA, "copied");
    assert.match(String(incrB), uncertain);
    assert.match(String(incrC), uncertain);
    assert.deepEqual(test.second.executed, ["GET a"]);
    assert.equal(await client.call("INCR d"), 1);
  });

  it("get the whole of a big reply or the end of the connection, never half of it", async () => {
    const client = await test.client();
    const big = "0123456789abcdef".repeat(2 ** 18);
    test.first.data.set("big", big);
    test.first.once(/^GET big/, halfAnswers);
    client.send("GET big");
    await eventually(() => assert.ok(client.closed || client.ended || client.unread.length > 0), {
      withinMs: 4000,
    });
    if (client.isOpen) assert.ok((await client.reply()) === big);
    assert.deepEqual(client.unread, []);
    assert.equal(await (await test.client()).call("STRLEN big"), big.length);
  });

  it("never get a reply that belongs to nobody", async () => {
    const [one, two] = [await test.client(), await test.client()];
    test.first.data.set("b", "right");
    test.first.once(/^GET a/, answersBytes("$1\r\nx\r\n$5\r\nwrong\r\n"));
    await one.call("GET a");
    const desynchronized = test.first.connectionOf("GET a");
    await eventually(() => assert.ok(!test.first.isOpen(desynchronized)));
    for (const client of [one, two]) assert.equal(await client.call("GET b"), "right");
  });

  for (const { name, command } of blockingCases.filter(({ name }) => !["XREAD", "WAIT"].includes(name))) {
    for (const [how, fault] of [
      ["without a word", ignores],
      ["after they have taken an element", closesAfter],
    ] as const) {
      it(`of the blocking kind end their client's connection, and nothing behind them is executed: ${name}, ${how}`, async () => {
        const client = await test.client();
        const line = command("l");
        test.first.once(new RegExp(`^${name} `), fault);
        client.pipeline("INCR before", line, "INCR behind");
        await eventually(() => assert.ok(test.first.arrived.includes(line)));
        if (fault === ignores) test.first.disconnectAll();
        await client.gone();
        assert.deepEqual(client.unread, [1]);
        assert.equal(await (await test.client()).call("EXISTS behind"), 0);
        assert.equal(test.first.arrived.filter((text) => text === line).length, 1);
        // Nothing of it is left.
        assert.equal(await test.proxy.metric("redis_ha_proxy_uncertain_total"), 0);
        const closed = await test.proxy.metric(
          'redis_ha_proxy_dropped_clients_total{reason="lost while blocking"}',
        );
        assert.equal(closed, 1);
      });
    }
  }

  it("that the server doesn't know get UNCERTAIN: nobody knows what they do", async () => {
    const client = await test.client();
    test.first.once(/^MOD.READ/, closesAfter);
    assert.match(String(await client.call("MOD.READ k")), uncertain);
    assert.equal(await client.call("EXISTS b"), 0);
  });

  it("are counted", async () => {
    const client = await test.client();
    test.first.once(/^INCR/, closesAfter);
    await client.call("INCR a");
    assert.equal(await test.proxy.metric("redis_ha_proxy_uncertain_total"), 1);
  });
});
