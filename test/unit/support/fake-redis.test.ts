import assert from "node:assert/strict";
import { readCommandTable } from "../../support/command-table.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeRedis } from "../../support/fake-redis.ts";
import {
  answers,
  closesAfter,
  closesBefore,
  halfAnswers,
  waitsFor,
} from "../../support/fake-redis-faults.ts";
import { RespClient } from "../../support/resp-client.ts";

describe("FakeRedis", () => {
  let redis: FakeRedis;
  let client: RespClient;
  beforeEach(async () => {
    redis = await new FakeRedis(await readCommandTable()).start();
    client = await RespClient.connect(redis.address.port);
  });
  afterEach(async () => {
    client.destroy();
    await redis.stop();
  });

  it("executes a pipeline in order and logs it", async () => {
    client.pipeline("SET a 1", "INCR a", "GET a", "GET b", "NOSUCH");
    assert.deepEqual(await client.replies(5), ["+OK", 2, "2", null, "-ERR unknown command 'NOSUCH'"]);
    assert.deepEqual(redis.executed.slice(0, 3), ["SET a 1", "INCR a", "GET a"]);
    assert.equal(redis.connectionOf("INCR a"), 1);
  });

  it("says of its commands what a genuine Redis says, in both protocols", async () => {
    const info = await client.call("COMMAND", "INFO", "get");
    assert.ok(Array.isArray(info) && Array.isArray(info[0]));
    assert.deepEqual(info[0].slice(0, 3), ["get", 2, ["+readonly", "+fast"]]);
    await client.call("HELLO", "3");
    const again = await client.call("COMMAND", "INFO", "get");
    assert.ok(Array.isArray(again) && Array.isArray(again[0]));
    assert.deepEqual(again[0][2], ["~", "+readonly", "+fast"]);
  });

  it("queues a transaction, and refuses it after a watched key has changed", async () => {
    client.pipeline("MULTI", "INCR a", "EXEC", "WATCH a", "INCR a", "MULTI", "INCR a", "EXEC");
    assert.deepEqual(await client.replies(8), ["+OK", "+QUEUED", [1], "+OK", 2, "+OK", "+QUEUED", "*-1"]);
    assert.equal(redis.data.text("a"), "2");
  });

  it("blocks until an element comes, and is unblocked when it becomes a replica", async () => {
    const other = await RespClient.connect(redis.address.port);
    client.send("BLPOP l 0");
    await eventually(() => assert.deepEqual(redis.arrived, ["BLPOP l 0"]));
    assert.equal(await other.call("RPUSH l x"), 1);
    assert.deepEqual(await client.reply(), ["l", "x"]);
    client.send("BLPOP l 0");
    await eventually(() => assert.equal(redis.arrived.length, 3));
    redis.becomeReplica();
    assert.match(String(await client.reply()), /^-UNBLOCKED/);
    await client.gone();
    other.destroy();
  });

  it("fails once, and then behaves", async () => {
    redis.once(/^INCR/, answers("-READONLY no"));
    assert.equal(await client.call("INCR a"), "-READONLY no");
    assert.equal(await client.call("INCR a"), 1);
    assert.deepEqual(redis.executed, ["INCR a"]);
  });

  for (const [name, fault, value] of [
    ["before executing", closesBefore, undefined],
    ["after executing", closesAfter, "1"],
    ["in the middle of the reply", halfAnswers, "1"],
  ] as const) {
    it(`closes the connection ${name}`, async () => {
      redis.once(/^INCR/, fault);
      client.send("INCR a");
      await client.gone();
      assert.equal(redis.data.text("a"), value);
      assert.deepEqual(client.unread, []);
    });
  }

  it("answers in order when one answer waits", async () => {
    const event = Promise.withResolvers<void>();
    redis.once(/^INCR a/, waitsFor(event.promise));
    client.pipeline("INCR a", "INCR b");
    await eventually(() => assert.deepEqual(redis.arrived, ["INCR a"]));
    event.resolve();
    assert.deepEqual(await client.replies(2), [1, 1]);
  });

  it("says nothing while it is frozen", async () => {
    redis.freeze();
    client.send("PING");
    await assert.rejects(client.reply(100), /0 of 1 replies/);
    redis.thaw();
    assert.equal(await client.reply(), "+PONG");
  });

  it("refuses writes as a replica", async () => {
    redis.becomeReplica({ kill: false });
    assert.match(String(await client.call("SET a 1")), /^-READONLY/);
    assert.equal(await client.call("GET a"), null);
  });
});
