import assert from "node:assert/strict";
import { renderRedisConf } from "../../sentinel-image/conf/redis-conf.ts";
import { eventually } from "../support/eventually.ts";
import { closesBefore, type Fault, waitsFor } from "../support/fake-redis-faults.ts";
import { ProxiedRedis } from "../support/proxied-redis.ts";
import { uncertain, useProxy } from "../support/proxy-fixture.ts";

const givenUp = /^-GIVENUP the command changes nothing/;

describe("the proxy, a command that breaks what it is sent to", () => {
  const test = useProxy();

  const arrived = (text: string): number =>
    [test.first, test.second].flatMap((redis) => redis.arrived).filter((one) => one === text).length;

  for (const command of ["KEYS bad*", "GET bad", "LRANGE bad 0 -1", "EVAL_RO bad 0", "MGET a bad"]) {
    it(`is sent twice, the second time alone, when its connection is lost each time: ${command}`, async () => {
      const [client, other] = [await test.client(), await test.client()];
      test.first.always(/bad/, closesBefore);
      let refused = 0;
      let stop = false;
      const counting = (async () => {
        while (!stop) if (uncertain.test(String(await other.call("INCR n")))) refused++;
      })();
      assert.match(String(await client.call(command)), givenUp);
      stop = true;
      await counting;
      assert.equal(arrived(command), 2);
      assert.ok(refused <= 1, `another client lost ${refused} connections`);
      assert.equal(await test.proxy.metric("redis_ha_proxy_given_up_total"), 1);
      assert.equal(await client.call("GET fine"), null);
    });
  }

  it("takes no others with it: what was in flight with it is answered", async () => {
    const clients = [];
    for (let i = 0; i < 10; i++) clients.push(await test.client());
    test.first.always(/bad/, closesBefore);
    for (const [i, client] of clients.entries())
      client.send(i === 3 ? "LRANGE bad 0 -1" : `LRANGE l${i} 0 -1`);
    for (const [i, client] of clients.entries()) {
      const reply = await client.reply();
      if (i === 3) assert.match(String(reply), givenUp);
      else assert.deepEqual(reply, []);
    }
  });

  it("keeps the order of its client's replies, and what comes behind it is executed", async () => {
    const client = await test.client();
    test.first.always(/bad/, closesBefore);
    client.pipeline("INCR a", "KEYS bad*", "GET a");
    const [incr, keys, get] = await client.replies(3);
    assert.ok(incr === 1 || uncertain.test(String(incr)), String(incr));
    assert.match(String(keys), givenUp);
    assert.ok(get === "1" || get === null);
    assert.equal(await client.call("INCR b"), 1);
  });

  it("keeps the order of what its client sends while it waits for its turn, and while it is under way", async () => {
    const [first, second] = [await test.client(), await test.client()];
    const [turn, reply] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    test.first.once(/^LRANGE bad1/, closesBefore);
    test.first.once(/^LRANGE bad1/, waitsFor(turn.promise));
    first.send("LRANGE bad1 0 -1");
    second.send("LRANGE bad2 0 -1");
    await eventually(() => assert.equal(arrived("LRANGE bad1 0 -1"), 2));
    test.first.once(/^LRANGE bad2/, waitsFor(reply.promise));
    const before = arrived("LRANGE bad2 0 -1");
    second.send("SET k v");
    await test.settled();
    turn.resolve();
    await eventually(() => assert.equal(arrived("LRANGE bad2 0 -1"), before + 1));
    second.send("GET k");
    await test.settled();
    reply.resolve();
    assert.deepEqual(await second.replies(3), [[], "+OK", "v"]);
  });

  it("takes down two masters, and not the third", async () => {
    const client = await test.client();
    const kills: Fault = ({ close }) => {
      close();
      const [dead, next] =
        test.first.role === "master" ? [test.first, test.second] : [test.second, test.first];
      dead.disconnectAll();
      dead.role = "slave";
      next.role = "master";
      test.topology.announce(next);
    };
    for (const redis of [test.first, test.second]) redis.always(/^KEYS bad/, kills);
    client.send("KEYS bad*");
    assert.match(String(await client.reply()), givenUp);
    assert.deepEqual([test.first.arrived, test.second.arrived], [["KEYS bad*"], ["KEYS bad*"]]);
    assert.equal(await client.call("INCR a"), 1);
    assert.deepEqual(test.first.executed, ["INCR a"]);
  });

  it("that leaves while it waits for its turn doesn't keep the others from theirs", async () => {
    const clients = [await test.client(), await test.client(), await test.client()] as const;
    test.first.once(/^LRANGE a/, closesBefore);
    clients[0].send("LRANGE a 0 -1");
    clients[1].send("LRANGE b 0 -1");
    clients[2].send("LRANGE c 0 -1");
    clients[0].destroy();
    assert.deepEqual(await clients[1].reply(), []);
    assert.deepEqual(await clients[2].reply(), []);
    await eventually(async () => assert.equal(await test.proxy.metric("redis_ha_proxy_clients"), 3));
  });
});

describe("the proxy, replies and commands that are bigger than Redis allows one connection", () => {
  let master: ProxiedRedis;
  const size = 200_000;
  const withinMs = 8000;
  afterEach(() => master.stop());

  async function start(...lines: string[]): Promise<void> {
    master = await ProxiedRedis.start(lines);
    const client = await master.proxy.client();
    await client.call("SETRANGE", "big", String(size - 1), "x");
  }

  it("end after two tries, and an innocent client loses no more than one connection", async () => {
    await start("maxmemory-clients 2mb");
    const [client, other] = [await master.proxy.client(), await master.proxy.client()];
    await other.call("INCR n");
    let lost = 0;
    let stop = false;
    const counting = (async () => {
      while (!stop) if (uncertain.test(String(await other.call("INCR n")))) lost++;
    })();
    const reply = await client.call("MGET", ...Array<string>(40).fill("big"));
    stop = true;
    await counting;
    assert.match(String(reply), givenUp);
    assert.ok(lost <= 1, `${lost} connections of another client`);
    assert.equal(await client.call("STRLEN big"), size);
  });

  it("are served, as by a plain Redis, with the product's redis.conf", async () => {
    const conf = renderRedisConf({
      bind: "127.0.0.1",
      self: { host: "127.0.0.1", port: 1 },
      dataDirectory: "/",
      maxmemoryBytes: 20 * 2 ** 20,
      maxmemoryPolicy: "noeviction",
      instanceCount: 3,
      extraConfig: undefined,
      password: undefined,
      master: undefined,
    });
    await start(...conf.split("\n").filter((line) => line.startsWith("maxmemory")));
    const [client, other] = [await master.proxy.client(), await master.proxy.client()];
    const waiting = [];
    for (let i = 0; i < 30; i++) waiting.push(await master.proxy.client());
    for (const one of waiting) one.send("BLPOP nothing 0");
    other.send("INCR n");
    assert.equal(await other.reply(withinMs), 1);
    let stop = false;
    const counting = (async () => {
      const replies = new Set<string>();
      while (!stop) replies.add(typeof (await other.call("INCR n")));
      return [...replies];
    })();
    const sizeOf = (reply: unknown): number => String(reply).length;
    const big = Array<string>(20).fill("big");
    client.send("MGET", ...big);
    assert.equal(sizeOf(await client.reply(withinMs)), 20 * (size + 1) - 1);
    client.pipeline(...big.map((key) => `GET ${key}`));
    for (const reply of await client.replies(20, withinMs)) assert.equal(sizeOf(reply), size);
    const value = "x".repeat(3 * 2 ** 20);
    client.send("SET", "bigger", value);
    assert.equal(await client.reply(withinMs), "+OK");
    client.send("GET bigger");
    assert.equal(sizeOf(await client.reply(withinMs)), value.length);
    stop = true;
    assert.deepEqual(await counting, ["number"], "another client");
    for (const one of waiting) assert.deepEqual(one.unread, []);
    assert.equal(await client.call("STRLEN big"), size);
  });
});
