import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { waitsFor } from "../support/fake-redis-faults.ts";
import { useProxy } from "../support/proxy-fixture.ts";
import type { RespClient } from "../support/resp-client.ts";

describe("the proxy, clients that need a connection of their own", () => {
  const test = useProxy();

  let probes = 0;
  /** The upstream connection that carries this client's next stateless command. */
  async function carrierOf(client: RespClient): Promise<number> {
    const command = `EXISTS probe${++probes}`;
    assert.equal(await client.call(command), 0);
    return test.first.connectionOf(command);
  }

  /** [why, what pins, what ends it; undefined: only the end of the client's connection] */
  const pins: readonly (readonly [string, readonly string[], readonly string[] | undefined])[] = [
    ["MULTI until EXEC", ["MULTI", "INCR a"], ["EXEC"]],
    ["MULTI until DISCARD", ["MULTI", "INCR a"], ["DISCARD"]],
    ["WATCH until EXEC", ["WATCH a"], ["MULTI", "EXEC"]],
    ["WATCH until DISCARD", ["WATCH a"], ["MULTI", "DISCARD"]],
    ["WATCH until UNWATCH", ["WATCH a"], ["UNWATCH"]],
    ["CLIENT TRACKING for the session", ["CLIENT TRACKING ON"], undefined],
    ["CLIENT NO-EVICT for the session", ["CLIENT NO-EVICT ON"], undefined],
    ["CLIENT ID for the session", ["CLIENT ID"], undefined],
    ["an unknown command for the session", ["MOD.STATE on"], undefined],
    ["RESET ends any of them", ["CLIENT TRACKING ON"], ["RESET"]],
  ];
  for (const [name, enter, leave] of pins) {
    it(name, async () => {
      const [pinned, other] = [await test.client(), await test.client()];
      await carrierOf(pinned);
      pinned.pipeline(...enter);
      await pinned.replies(enter.length);
      const own = test.first.connectionOf(enter[0] ?? "");
      const shared = await carrierOf(other);
      assert.notEqual(own, shared);
      const opened = enter.includes("MULTI");
      if (!opened) assert.equal(await carrierOf(pinned), own);
      assert.notEqual(await carrierOf(other), own);
      if (leave === undefined) {
        pinned.destroy();
        await eventually(() => assert.ok(!test.first.isOpen(own), "a dirty connection is closed"));
      } else {
        pinned.pipeline(...leave);
        await pinned.replies(leave.length);
        assert.notEqual(await carrierOf(pinned), own);
      }
    });
  }

  it("a clean client is on a connection with the others, and their number doesn't grow with the clients", async () => {
    const clients: RespClient[] = [];
    for (let i = 0; i < 40; i++) clients.push(await test.client());
    const carriers = new Set<number>();
    for (const client of clients) carriers.add(await carrierOf(client));
    assert.ok(carriers.size <= 4, `${carriers.size} connections carry 40 clients`);
  });

  for (const command of ["BLPOP l 0", "XREAD BLOCK 0 STREAMS s 0-0"]) {
    it(`${command} until its reply: others aren't blocked`, async () => {
      const [blocked, other] = [await test.client(), await test.client()];
      const shared = await carrierOf(blocked);
      blocked.send(command);
      await eventually(() => assert.ok(test.first.arrived.includes(command)));
      assert.notEqual(test.first.connectionOf(command), shared);
      assert.notEqual(await carrierOf(other), test.first.connectionOf(command));
    });
  }

  it("a command of more than 2 MiB for itself: others aren't behind it, and its client's order stays", async () => {
    const [big, other] = [await test.client(), await test.client()];
    const shared = await carrierOf(big);
    const size = 3 * 2 ** 20;
    big.send("INCR before");
    big.send("SET", "big", "x".repeat(size));
    big.send("STRLEN big");
    assert.deepEqual(await big.replies(3), [1, "+OK", size]);
    const carrier = test.first.log.find(({ text }) => text.startsWith("SET big"))?.connection;
    assert.ok(carrier !== undefined && carrier !== shared);
    assert.equal(await carrierOf(big), shared);
    assert.equal(await carrierOf(other), shared);
    other.send("SET", "small", "x".repeat(2 ** 20));
    assert.equal(await other.reply(), "+OK");
    assert.equal(test.first.log.find(({ text }) => text.startsWith("SET small"))?.connection, shared);
  });

  it("XREAD without BLOCK shares", async () => {
    const client = await test.client();
    const shared = await carrierOf(client);
    await client.call("XREAD STREAMS s 0-0");
    assert.equal(test.first.connectionOf("XREAD STREAMS s 0-0"), shared);
  });

  it("a blocked client's later commands wait for its reply", async () => {
    const [blocked, other] = [await test.client(), await test.client()];
    blocked.pipeline("BLPOP l 0", "INCR a", "GET a");
    await eventually(() => assert.ok(test.first.arrived.includes("BLPOP l 0")));
    await other.call("RPUSH l x");
    assert.deepEqual(await blocked.replies(3), [["l", "x"], 1, "1"]);
    assert.notEqual(await carrierOf(blocked), test.first.connectionOf("BLPOP l 0"));
  });

  it("a blocked client that leaves takes no element with it", async () => {
    const [blocked, other] = [await test.client(), await test.client()];
    blocked.send("BLPOP l 0");
    await eventually(() => assert.ok(test.first.arrived.includes("BLPOP l 0")));
    const own = test.first.connectionOf("BLPOP l 0");
    blocked.destroy();
    await eventually(() => assert.ok(!test.first.isOpen(own)));
    assert.equal(await other.call("RPUSH l x"), 1);
    assert.deepEqual(test.first.data.list("l"), ["x"]);
  });

  it("a blocked client that closes only its sending side takes no element with it", async () => {
    const [blocked, other] = [await test.client(), await test.client()];
    blocked.send("BLPOP l 0");
    await eventually(() => assert.ok(test.first.arrived.includes("BLPOP l 0")));
    blocked.socket.end();
    await blocked.gone();
    assert.equal(await other.call("RPUSH l x"), 1);
    assert.deepEqual(test.first.data.list("l"), ["x"]);
  });

  it("SUBSCRIBE until nothing is subscribed", async () => {
    const [subscriber, other] = [await test.client(), await test.client()];
    await subscriber.call("SUBSCRIBE a");
    const own = test.first.connectionOf("SUBSCRIBE a");
    assert.notEqual(await carrierOf(other), own);
    await subscriber.call("UNSUBSCRIBE a");
    assert.notEqual(await carrierOf(subscriber), own);
  });

  it("MONITOR for the session", async () => {
    const [watcher, other] = [await test.client(), await test.client()];
    assert.equal(await watcher.call("MONITOR"), "+OK");
    const own = test.first.connectionOf("MONITOR");
    assert.notEqual(await carrierOf(other), own);
    watcher.destroy();
    await eventually(() => assert.ok(!test.first.isOpen(own)));
  });

  it("CLIENT REPLY SKIP silences one command of its client", async () => {
    const [silent, other] = [await test.client(), await test.client()];
    silent.pipeline("CLIENT REPLY SKIP", "INCR a", "GET a");
    assert.equal(await silent.reply(), "1");
    assert.equal(await other.call("GET a"), "1");
    assert.deepEqual([...silent.unread, ...other.unread], []);
  });

  it("CLIENT REPLY SKIP, sent twice, silences what comes behind the second", async () => {
    const client = await test.client();
    client.pipeline("CLIENT REPLY SKIP", "CLIENT REPLY SKIP", "INCR a", "INCR a");
    assert.equal(await client.reply(), 2);
  });

  it("CLIENT REPLY OFF silences its client alone", async () => {
    const [silent, other] = [await test.client(), await test.client()];
    silent.pipeline("CLIENT REPLY OFF", "SET a 1", "INCR a", "CLIENT REPLY ON", "GET a");
    assert.deepEqual(await silent.replies(2), ["+OK", "2"]);
    assert.equal(await other.call("GET a"), "2");
    assert.deepEqual([...silent.unread, ...other.unread], []);
    // The proxy drops the replies itself: on a shared connection the server's silence would hit everybody.
    assert.ok(test.first.log.every(({ text }) => !text.startsWith("CLIENT REPLY")));
  });

  it("WAIT asks about the client's writes, and others aren't stopped by it", async () => {
    const [writer, other] = [await test.client(), await test.client()];
    await carrierOf(other);
    assert.equal(await writer.call("SET a 1"), "+OK");
    const gate = Promise.withResolvers<void>();
    test.first.once(/^WAIT/, waitsFor(gate.promise));
    writer.send("WAIT 1 100");
    await eventually(() => assert.ok(test.first.arrived.includes("WAIT 1 100")));
    assert.notEqual(await carrierOf(other), test.first.connectionOf("WAIT 1 100"));
    gate.resolve();
    // A connection over which nothing went to the replicas gives 0.
    assert.equal(await writer.reply(), 1);
  });

  it("WAIT after a failover is an error: the new master knows nothing of the write", async () => {
    const client = await test.client();
    await client.call("SET a 1");
    await test.loseMaster();
    test.topology.promoteSecond();
    assert.match(String(await client.call("WAIT 1 100")), /^-/);
    assert.ok(!test.second.arrived.includes("WAIT 1 100"));
    await client.call("SET a 2");
    assert.equal(await client.call("WAIT 1 100"), 1);
  });
});
