import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { ProxiedRedis } from "../support/proxied-redis.ts";
import type { RespClient } from "../support/resp-client.ts";

const busy = /^-BUSY Redis is busy running a script\. You can only call SCRIPT KILL/;
const busyAny = /^-BUSY /;
const functionBusy = /^-BUSY Redis is busy running a script\. You can only call FUNCTION KILL/;
/** Half a minute of work, should nobody end it. */
const endless = "for i = 1, 5e9 do end";

describe("the proxy, a master that a script keeps busy", () => {
  let test: ProxiedRedis;
  let clients: Record<"runner" | "other", RespClient>;
  beforeEach(async () => {
    const database = "user app on >secret ~* &* +@all";
    test = await ProxiedRedis.start(["busy-reply-threshold 200", database]);
    clients = { runner: await test.proxy.client(), other: await test.proxy.client() };
    for (const client of Object.values(clients)) await client.call("PING");
  });
  afterEach(() => test.stop());

  /** Begins a script, and waits until the proxy has heard of it. */
  async function run(script: string): Promise<void> {
    clients.runner.send("EVAL", script, "0");
    await eventually(
      () => {
        const { state } = test.proxy.server.watcher;
        assert.ok(state.kind === "following" && state.busy === true, JSON.stringify(state));
      },
      { withinMs: 5000 },
    );
    if (script !== endless) return;
    // What was sent on the script's own connection before its silence was noticed waits for its end: others come after that.
    await eventually(
      async () => {
        const probe = await test.proxy.client();
        probe.send("GET", "a");
        assert.match(String(await probe.reply(300).finally(() => probe.destroy())), busyAny);
      },
      { withinMs: 5000 },
    );
  }

  async function kill(client: RespClient): Promise<void> {
    const begin = performance.now();
    assert.equal(await client.call("SCRIPT", "KILL"), "+OK");
    const ms = performance.now() - begin;
    assert.ok(ms < 1000, `SCRIPT KILL took ${ms} ms`);
    assert.match(String(await clients.runner.reply()), /Script killed by user/);
  }

  it("is the master still: everybody is told BUSY, and SCRIPT KILL works at once", async () => {
    await run(endless);
    const [fresh, user, third] = [
      await test.proxy.client(),
      await test.proxy.client(),
      await test.proxy.client(3),
    ];
    assert.equal(await user.call("AUTH", "app", "secret"), "+OK");
    assert.match(String(await user.call("AUTH", "app", "wrong")), /^-WRONGPASS/);
    for (const client of [clients.other, fresh, user, third])
      for (const command of ["GET a", "INCR a", "SELECT 1", "MULTI", "BLPOP l 1", "SUBSCRIBE c"])
        assert.match(String(await client.call(command)), busy, command);
    await kill(clients.other);
    // What a new connection was told counts for 50 ms.
    await eventually(async () => assert.equal(await clients.other.call("INCR a"), 1));
    await eventually(async () => assert.equal(await fresh.call("SELECT 1"), "+OK"));
    assert.equal(await fresh.call("GET a"), null);
    await eventually(async () => assert.equal(await user.call("GET a"), "1"));
    assert.equal(await clients.runner.call("INCR a"), 2);
    assert.equal(await test.proxy.metric("redis_ha_proxy_failovers_total"), 0);
  });

  it("takes nothing else over the connection of SCRIPT KILL, which is in no client's database", async () => {
    assert.equal(await clients.other.call("SELECT 3"), "+OK");
    await run(endless);
    clients.other.pipeline("SCRIPT KILL", "SET a 1", "GET a", "CLIENT ID");
    const [killed, set, get, id] = await clients.other.replies(4);
    assert.equal(killed, "+OK");
    assert.ok(set === "+OK" || busy.test(String(set)), String(set));
    assert.ok(get === (set === "+OK" ? "1" : null) || busy.test(String(get)), String(get));
    assert.ok(typeof id === "number" || busy.test(String(id)), String(id));
    assert.equal(await test.redis.client.get("a"), null);
  });

  it("tells that a script has written already, and answers when it has ended", async () => {
    await run("redis.call('set', 'a', '1'); for i = 1, 1e8 do end; return redis.call('incr', 'a')");
    assert.match(String(await clients.other.call("SCRIPT KILL")), /^-UNKILLABLE/);
    assert.equal(await clients.runner.reply(35_000), 2);
    await eventually(async () => assert.equal(await clients.other.call("GET a"), "2"));
  });

  it("answers itself where a function came over another connection than that of all", async () => {
    const library = `#!lua name=l\nredis.register_function('f', function() ${endless} end)`;
    clients.other.send("FUNCTION", "LOAD", library);
    assert.equal(await clients.other.reply(), "l");
    assert.equal(await clients.runner.call("MULTI"), "+OK");
    assert.equal(await clients.runner.call("FCALL f 0"), "+QUEUED");
    clients.runner.send("EXEC");
    await eventually(async () => assert.match(String(await clients.other.call("GET a")), functionBusy));
    assert.match(JSON.stringify(await clients.other.call("FUNCTION STATS")), /running_script/);
    assert.match(String(await clients.other.call("SCRIPT KILL")), functionBusy);
    assert.equal(await clients.other.call("FUNCTION KILL"), "+OK");
    assert.match(JSON.stringify(await clients.runner.reply()), /Script killed by user/);
    await eventually(async () => assert.equal(await clients.other.call("INCR a"), 1));
  });
}).timeout(40_000);
