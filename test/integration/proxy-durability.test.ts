import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { ReplicatedMaster } from "../support/replicated-master.ts";
import type { RespClient } from "../support/resp-client.ts";
import { TestProxy } from "../support/test-proxy.ts";

const timeoutMs = 300;
const unconfirmed = /^-UNCERTAIN no replica has confirmed the write in time: it was executed/;
const lost = /^-UNCERTAIN the connection to the master was lost before a replica had confirmed the write/;

describe("redis:durability sync, with a genuine master and two replicas", function () {
  this.timeout(30_000);
  let redis: ReplicatedMaster;
  let proxy: TestProxy;

  before(async () => {
    redis = await ReplicatedMaster.start();
    await redis.master.client.config("RESETSTAT");
  });

  beforeEach(async () => {
    await redis.master.client.flushall();
    await redis.inSync(2);
    proxy = await TestProxy.start(redis, { durabilityTimeoutMs: timeoutMs });
  });

  afterEach(async () => {
    redis.thaw();
    await proxy.stop();
  });

  after(() => redis.stop());

  /** A client whose connection to the master is there. */
  const warm = async (protocol: 2 | 3 = 2): Promise<RespClient> => {
    const client = await proxy.client(protocol);
    await client.call("EXISTS warm-up");
    return client;
  };

  /** Waits until the master has executed something. */
  const executed = (key: string, value: string): Promise<void> =>
    eventually(async () => assert.equal(await redis.master.client.get(key), value), { everyMs: 5 });

  it("answers a write when one replica has it, though the other one is frozen", async () => {
    const client = await warm();
    redis.freeze(redis.replicas[0]);
    assert.equal(await client.call("SET a 1"), "+OK");
    // It was said only after this one had it: no waiting here.
    assert.equal(await redis.replicas[1].client.get("a"), "1");
    assert.equal(await proxy.metric('redis_ha_proxy_durability_waits_total{outcome="confirmed"}'), 1);
    assert.equal(await proxy.metric("redis_ha_proxy_durability_seconds_count"), 1);
  });

  it("waits for both replicas, and only now and then for one that is missing", async () => {
    const both = await TestProxy.start(redis, { durabilityTimeoutMs: timeoutMs, durabilityReplicas: 2 });
    try {
      const client = await both.client();
      let before = await redis.waits();
      assert.equal(await client.call("SET a 1"), "+OK");
      assert.equal((await redis.waits()) - before, 2, "for both, then for one");
      redis.freeze(redis.replicas[0]);
      before = await redis.waits();
      for (let i = 0; i < 5; i++) assert.equal(await client.call(`SET a b${i}`), "+OK");
      const asked = (await redis.waits()) - before;
      assert.ok(asked <= 6, `${asked} questions for 5 writes`);
    } finally {
      await both.stop();
    }
  });

  for (const protocol of [2, 3] as const) {
    it(`says that a write is uncertain when no replica confirms it in time, and goes on, in RESP${protocol}`, async () => {
      const client = await warm(protocol);
      redis.freeze(...redis.replicas);
      client.send("SET a 1");
      await executed("a", "1");
      assert.deepEqual(client.unread, [], "it was told before the time was up");
      assert.match(String(await client.reply()), unconfirmed);
      assert.equal(await proxy.metric('redis_ha_proxy_durability_waits_total{outcome="timeout"}'), 1);
      assert.equal(await proxy.metric("redis_ha_proxy_uncertain_total"), 1);
      redis.thaw();
      await redis.inSync(2);
      assert.equal(await client.call("SET a 2"), "+OK");
    });
  }

  it("gives each client its replies in order, reads and the proxy's own answers behind a write that waits", async () => {
    const [one, two] = [await warm(), await warm()];
    redis.freeze(...redis.replicas);
    one.pipeline("GET a", "SET a 1", "GET a", "LPUSH a x", "CLIENT GETNAME", "INCR a", "PING");
    two.pipeline("SET b 1", "GET b");
    const replies = await one.replies(7);
    assert.deepEqual([replies[0], replies[2], replies[4], replies[6]], [null, "1", null, "+PONG"]);
    // An error wasn't executed: there is nothing to be uncertain about.
    assert.match(String(replies[3]), /^-WRONGTYPE/);
    for (const write of [replies[1], replies[5]]) assert.match(String(write), unconfirmed);
    const [write, read] = await two.replies(2);
    assert.match(String(write), unconfirmed);
    assert.equal(read, "1");
  });

  it("asks once for the writes of many clients, and not at all for reads", async () => {
    const clients = await Promise.all(Array.from({ length: 30 }, () => warm()));
    const before = await redis.waits();
    for (const client of clients) client.pipeline("INCR n", "INCR n");
    const replies = await Promise.all(clients.map((client) => client.replies(2)));
    assert.deepEqual(
      replies.flat().sort((a, b) => Number(a) - Number(b)),
      Array.from({ length: 60 }, (_, i) => i + 1),
    );
    const asked = (await redis.waits()) - before;
    assert.ok(asked >= 1 && asked <= 30, `${asked} questions for 60 writes`);
    for (const client of clients) client.send("GET n");
    for (const client of clients) assert.equal(await client.reply(), "60");
    assert.equal((await redis.waits()) - before, asked);
  });

  it("confirms pipelines with writes, replies of several kinds and a big value in the middle", async () => {
    const client = await warm(3);
    const big = "x".repeat(200_000);
    client.pipeline("SET a 1", `SET big ${big}`, "GET big", "HSET h f 1", "HGETALL h", "DEL none");
    assert.deepEqual(await client.replies(6), ["+OK", "+OK", big, 1, ["%", "f", "1"], 0]);
  });

  for (const protocol of [2, 3] as const) {
    it(`covers transactions, scripts and blocking commands, in RESP${protocol}`, async () => {
      const client = await warm(protocol);
      const nil = protocol === 2 ? "*-1" : "_";
      const all = [
        ["MULTI", "INCR n", "RPUSH l x", "EXEC"],
        ["EVAL return{redis.call('INCR','n')} 0"],
        ["CLIENT ID", "INCR n"],
      ];
      const last = async (commands: readonly string[]) => {
        client.pipeline(...commands);
        return (await client.replies(commands.length)).at(-1);
      };
      const before = await redis.waits();
      assert.deepEqual(await last(all[0] ?? []), [1, 1]);
      assert.deepEqual(await last(all[1] ?? []), [2]);
      assert.deepEqual(await last(["BLPOP l 1"]), ["l", "x"]);
      assert.equal(await last(["BLPOP l 0.01"]), nil);
      assert.equal((await redis.waits()) - before, 4);
      redis.freeze(...redis.replicas);
      for (const commands of all) assert.match(String(await last(commands)), unconfirmed, commands.join());
      // What isn't confirmed ends the client that would have got it: workers don't survive an error.
      client.pipeline("BLPOP l 1", "SET behind 1");
      await client.gone();
      assert.deepEqual(client.unread, []);
      // Nothing was written.
      assert.equal(await (await warm(protocol)).call("BLPOP l 0.01"), nil);
      redis.thaw();
      assert.equal(await redis.master.client.get("n"), "5");
      assert.equal(await redis.master.client.exists("behind", "l"), 0);
    });
  }

  it("covers what a blocked command takes when another client gives it", async () => {
    const client = await warm();
    client.send("BLPOP l 5");
    await eventually(async () =>
      assert.match(await redis.master.client.info("clients"), /blocked_clients:1/),
    );
    // Else the question would be about what came before it blocked.
    await redis.acknowledged();
    redis.freeze(...redis.replicas);
    await redis.master.client.rpush("l", "x");
    await client.gone();
    assert.deepEqual(client.unread, []);
  });

  it("passes on that a transaction came to nothing", async () => {
    const [client, other] = [await warm(), await warm()];
    client.pipeline("WATCH a", "MULTI", "SET a 1");
    await client.replies(3);
    assert.equal(await other.call("SET a 2"), "+OK");
    redis.freeze(...redis.replicas);
    assert.equal(await client.call("EXEC"), "*-1");
  });

  it("answers a client's own WAIT", async () => {
    const client = await warm();
    redis.freeze(redis.replicas[0]);
    assert.equal(await client.call("SET a 1"), "+OK");
    assert.equal(await client.call("WAIT 1 1000"), 1);
    assert.equal(await client.call("WAIT 2 50"), 1);
    assert.equal(await client.call("SET a 2"), "+OK");
    redis.thaw();
    assert.equal(await client.call("WAIT 2 5000"), 2);
  });

  /** Does something while the master takes no writes, since all replicas are frozen. */
  const whileItRefuses = async (work: () => Promise<void>): Promise<void> => {
    const { client } = redis.master;
    await client.config("SET", "min-replicas-max-lag", "1");
    await client.config("SET", "min-replicas-to-write", "1");
    try {
      redis.freeze(...redis.replicas);
      await eventually(async () =>
        assert.match(await client.info("replication"), /min_slaves_good_slaves:0/),
      );
      await work();
    } finally {
      await client.config("SET", "min-replicas-to-write", "0");
    }
  };
  const refused = (times: number): Promise<void> =>
    eventually(async () =>
      assert.ok((await proxy.metric('redis_ha_proxy_rejections_total{code="NOREPLICAS"}')) > times),
    );

  it("lets others read while the master refuses writes because it has no replica", async () => {
    const [writer, reader] = [await warm(), await warm()];
    await whileItRefuses(async () => {
      writer.send("SET a 1");
      await refused(2);
      const before = await redis.waits();
      assert.equal(await reader.call("GET a"), null);
      assert.equal(await redis.waits(), before, "it asks for writes that were refused");
      redis.thaw();
      assert.equal(await writer.reply(4000), "+OK");
    });
  });

  it("doesn't take reads between writes that are refused for writes, and sends all of them again in their order", async () => {
    const client = await warm();
    await whileItRefuses(async () => {
      const before = await redis.waits();
      client.pipeline("SET a 1", "GET x", "APPEND a 2", "GET x", "APPEND a 3");
      await refused(6);
      // A question would stand between these and what comes now, which would then be executed before them.
      assert.equal(await redis.waits(), before);
      client.send("APPEND a 4");
      redis.thaw();
      assert.deepEqual(await client.replies(6, 4000), ["+OK", null, 2, null, 3, 4]);
      assert.equal(await client.call("GET a"), "1234");
    });
  });

  it("waits for the answer before a draining proxy closes a client", async () => {
    const client = await warm();
    redis.freeze(...redis.replicas);
    client.send("SET a 1");
    await executed("a", "1");
    const drained = proxy.server.drain();
    assert.match(String(await client.reply()), unconfirmed);
    await client.gone();
    await drained;
  });

  it("async: asks for nothing", async () => {
    const async = await TestProxy.start(redis);
    try {
      const before = await redis.waits();
      redis.freeze(...redis.replicas);
      const client = await async.client();
      client.pipeline("SET a 1", "MULTI", "INCR a", "EXEC", "GET a");
      assert.deepEqual(await client.replies(5), ["+OK", "+OK", "+QUEUED", [2], "2"]);
      assert.equal(await redis.waits(), before);
    } finally {
      await async.stop();
    }
  });

  it("tells a lost master's clients that unconfirmed writes are uncertain, and never repeats them", async () => {
    const [one, two, three] = [await warm(), await warm(), await warm(3)];
    redis.freeze(...redis.replicas);
    one.pipeline("INCR n", "GET n");
    await executed("n", "1");
    // It lies behind the question: it is asked for again.
    two.send("GET m");
    three.pipeline("MULTI", "INCR m", "EXEC");
    await executed("m", "1");
    await redis.master.kill();
    assert.match(String(await one.reply()), lost);
    assert.deepEqual(await three.replies(2), ["+OK", "+QUEUED"]);
    assert.match(String(await three.reply()), lost);
    redis.thaw();
    const next = await redis.promoteFirst();
    const n = await next.client.get("n");
    // The reads see what has survived, and the connections are still there.
    assert.deepEqual(await one.replies(1), [n]);
    assert.deepEqual(await two.reply(), await next.client.get("m"));
    assert.ok(n === null || n === "1", `INCR n ran more than once: ${n}`);
    assert.equal(await three.call("SET c 1"), "+OK");
    assert.equal(await one.call("SET b 1"), "+OK");
  });
});
