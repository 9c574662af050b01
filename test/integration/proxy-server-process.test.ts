import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Redis } from "ioredis";
import { eventually } from "../support/eventually.ts";
import { ProxiedRedis } from "../support/proxied-redis.ts";
import { RedisProcess } from "../support/redis-process.ts";
import { RespClient } from "../support/resp-client.ts";
import type { Shown } from "../support/resp-frames.ts";
import { TwoMasters } from "../support/two-masters.ts";

const script = "return redis.call('INCR', KEYS[1])";
const shaOf = (text: string): string => createHash("sha1").update(text).digest("hex");

/** Goes through a whole iteration, from a cursor on. */
async function iterate(client: RespClient, command: string, from: string, seen: Set<Shown>): Promise<void> {
  for (let cursor = from; ; ) {
    const [next, found] = await step(client, command, cursor);
    for (const one of found) seen.add(one);
    if (next === "0") return;
    cursor = next;
  }
}

async function step(client: RespClient, command: string, cursor: string): Promise<[string, Shown[]]> {
  const reply = await client.call(command.replace("@", cursor));
  assert.ok(Array.isArray(reply), JSON.stringify(reply));
  return [String(reply[0]), reply[1] as Shown[]];
}

describe("a client goes on at another process of the server", function () {
  this.timeout(60_000);
  for (const planned of [false, true]) {
    describe(planned ? "after a hand-over" : "after the master was killed", () => {
      let two: TwoMasters;
      beforeEach(async () => {
        two = await TwoMasters.start();
      });
      afterEach(() => two?.stop());

      it("runs its scripts, in MULTI too, also in one that had begun before", async () => {
        const [client, other] = [await two.proxy.client(), await two.proxy.client()];
        assert.equal(await client.call("SCRIPT", "LOAD", script), shaOf(script));
        client.send("MULTI");
        client.send("EVAL", "return 7", "0");
        client.send("EXEC");
        assert.deepEqual(await client.replies(3), ["+OK", "+QUEUED", [7]]);
        assert.equal(await other.call("EVAL", "return 8", "0"), 8);
        assert.equal(await other.call("MULTI"), "+OK");
        assert.equal(await other.call(`EVALSHA ${shaOf("return 8")} 0`), "+QUEUED");
        await two.failOver(planned);
        client.pipeline("MULTI", `EVALSHA ${shaOf(script)} 1 n`, `EVALSHA ${shaOf("return 7")} 0`, "EXEC");
        assert.deepEqual((await client.replies(4, 10_000))[3], [1, 7]);
        assert.deepEqual(await other.call("EXEC"), [8]);
        assert.equal(await client.call(`EVALSHA ${shaOf(script)} 1 n`), 2);
      });

      it("is whom others mean with the id that it was told before", async () => {
        for (let i = 0; i < 5; i++) (await RespClient.connect(two.second.port)).destroy();
        const [client, other] = [await two.proxy.client(), await two.proxy.client()];
        const id = await client.call("CLIENT ID");
        await two.failOver(planned);
        assert.equal(await other.call(`CLIENT UNBLOCK ${id}`), 0);
        client.send("BLPOP q 0");
        await eventually(async () => assert.equal(await other.call(`CLIENT UNBLOCK ${id} TIMEOUT`), 1));
        assert.equal(await client.reply(), "*-1");
      });

      it("is told of every element that was there all the time", async () => {
        for (const { client } of [two.first, two.second]) {
          const fill = client.pipeline();
          for (let i = 0; i < 1000; i++) {
            fill
              .set(`key:${i}`, i)
              .sadd("set", `m${i}`)
              .hset("hash", `f${i}`, `v${i}`)
              .zadd("zset", i, `z${i}`);
          }
          await fill.exec();
        }
        const client = await two.proxy.client();
        const commands = {
          "SCAN @ MATCH key:* COUNT 20": 1000,
          "SSCAN set @ COUNT 20": 1000,
          "HSCAN hash @ COUNT 20": 2000,
          "ZSCAN zset @ COUNT 20": 2000,
        };
        const begun: { command: string; next: string; seen: Set<Shown> }[] = [];
        for (const command of Object.keys(commands)) {
          let next = "0";
          const seen = new Set<Shown>();
          for (let i = 0; i < 20; i++) {
            const [cursor, found] = await step(client, command, next);
            for (const one of found) seen.add(one);
            next = cursor;
          }
          assert.ok(Number(next) > 0 && Number(next) <= Number.MAX_SAFE_INTEGER, next);
          begun.push({ command, next, seen });
        }
        await two.failOver(planned);
        const counts: Record<string, number> = {};
        for (const { command, next, seen } of begun) {
          await iterate(client, command, next, seen);
          counts[command] = seen.size;
        }
        assert.deepEqual(counts, commands);
      });
    });
  }
});

describe("a server's process, seen through the proxy", function () {
  this.timeout(60_000);
  let proxied: ProxiedRedis;
  beforeEach(async () => {
    proxied = await ProxiedRedis.start();
  });
  afterEach(() => proxied?.stop());

  /** The same server under the same address, without anything that it had. */
  async function restart(): Promise<RedisProcess> {
    const { port } = proxied.redis;
    await proxied.redis.kill();
    return RedisProcess.start(port, ["--port", String(port), "--bind", "127.0.0.1", "--save", ""]);
  }

  it("that starts anew under its address gets the scripts again, all of them in the end", async () => {
    const client = await proxied.proxy.client();
    const bodies = Array.from({ length: 40 }, (_, i) => `return ${i}`);
    for (const body of bodies) await client.call("SCRIPT", "LOAD", body);
    const again = await restart();
    try {
      client.pipeline("MULTI", `EVALSHA ${shaOf("return 39")} 0`, "EXEC");
      assert.deepEqual((await client.replies(3, 10_000))[2], [39]);
      await eventually(async () => {
        const there = await again.client.script("EXISTS", ...bodies.map(shaOf));
        assert.deepEqual(
          there,
          bodies.map(() => 1),
        );
      });
    } finally {
      await again.kill();
    }
  });

  it("that starts anew is not given what its clients have flushed", async () => {
    const client = await proxied.proxy.client();
    await client.call("SCRIPT", "LOAD", script);
    assert.equal(await client.call("SCRIPT FLUSH"), "+OK");
    await client.call("SCRIPT", "LOAD", "return 1");
    const again = await restart();
    try {
      client.pipeline("MULTI", `EVALSHA ${shaOf(script)} 1 n`, `EVALSHA ${shaOf("return 1")} 0`, "EXEC");
      const [, , , exec] = await client.replies(4, 10_000);
      assert.deepEqual(exec, ["-NOSCRIPT No matching script. Please use EVAL.", 1]);
    } finally {
      await again.kill();
    }
  });

  it("serves ioredis' own commands in MULTI, first and after it has started anew", async () => {
    const client = new Redis({ port: proxied.proxy.port, maxRetriesPerRequest: 1 });
    client.defineCommand("bump", { numberOfKeys: 1, lua: script });
    const bump = async (): Promise<unknown> => {
      // biome-ignore lint/suspicious/noExplicitAny: ioredis' types don't know commands that are defined later
      const multi = client.multi() as any;
      return multi.bump("n").exec();
    };
    try {
      assert.deepEqual(await bump(), [[null, 1]]);
      assert.deepEqual(await bump(), [[null, 2]]);
      const again = await restart();
      try {
        assert.deepEqual(await bump(), [[null, 1]]);
        assert.deepEqual(await bump(), [[null, 2]]);
      } finally {
        await again.kill();
      }
    } finally {
      client.disconnect();
    }
  });

  it("has no script for a client that this proxy couldn't bring to the next one", async () => {
    const client = await proxied.proxy.client();
    await proxied.redis.client.script("LOAD", "return 1");
    await client.call("SCRIPT", "LOAD", "return 2");
    const shas = ["return 1", "return 2", "return 3"].map(shaOf);
    assert.deepEqual(await client.call("SCRIPT", "EXISTS", ...shas), [0, 1, 0]);
    assert.equal(await client.call(`EVALSHA ${shas[0]} 0`), 1);
  });

  it("keeps no script that it refuses, for a user without rights or with an error in its text", async () => {
    const rules = ["on", ">p", "~*", "+@all", "-eval", "-script"];
    await proxied.redis.client.call("ACL", "SETUSER", "u", ...rules);
    const client = await proxied.proxy.client();
    assert.equal(await client.call("AUTH u p"), "+OK");
    assert.match(String(await client.call("EVAL", "return 5", "0")), /^-NOPERM/);
    assert.match(String(await client.call("SCRIPT", "LOAD", "return 5")), /^-NOPERM/);
    const free = await proxied.proxy.client();
    assert.match(String(await free.call("EVAL", "return (", "0")), /^-ERR/);
    await free.call("EVAL", "return redis.error_reply('MINE x')", "0");
    await proxied.redis.client.script("LOAD", "return 5");
    const shas = ["return 5", "return (", "return redis.error_reply('MINE x')"].map(shaOf);
    assert.deepEqual(await free.call("SCRIPT", "EXISTS", ...shas), [0, 0, 1]);
  });

  it("answers cursors as without the proxy, whatever the protocol and the pieces", async () => {
    const { client: direct, port } = proxied.redis;
    const fill = direct.pipeline();
    for (let i = 0; i < 300; i++) fill.sadd("set", `member:${i}`);
    await fill.set("string", "x").exec();
    const commands = [
      "SSCAN string 0",
      "SSCAN set x",
      "SSCAN set -",
      "SCAN 0 COUNT 0",
      "SCAN",
      "SCAN 99999999999999999999",
    ];
    for (const protocol of [2, 3] as const) {
      const client = await proxied.proxy.client(protocol);
      const plain = await RespClient.connect(port, protocol);
      for (const command of commands) assert.deepEqual(await client.call(command), await plain.call(command));
      plain.destroy();
      const seen = new Set<Shown>();
      await iterate(client, "SSCAN set @ COUNT 7", "0", seen);
      assert.equal(seen.size, 300);
      client.pipeline("MULTI", "SSCAN set 0 COUNT 7", "GET string", "EXEC");
      const [, , , exec] = await client.replies(4);
      const [scanned, got] = exec as Shown[];
      assert.equal(got, "x");
      const cursor = String((scanned as Shown[])[0]);
      assert.ok(Number(cursor) > 2 ** 36, cursor);
      await iterate(client, "SSCAN set @ COUNT 7", cursor, seen);
    }
  });

  it("answers a reply that is passed on in parts with its cursor, too", async () => {
    const { client: direct } = proxied.redis;
    const member = "m".repeat(2000);
    const fill = direct.pipeline();
    for (let i = 0; i < 4000; i++) fill.sadd("big", `${member}${i}`);
    await fill.exec();
    const client = await proxied.proxy.client();
    client.send("SSCAN big 0 COUNT 3000");
    const [cursor, found] = (await client.reply(10_000)) as [string, Shown[]];
    assert.ok(Number(cursor) > 2 ** 36, "the cursor isn't marked");
    const seen = new Set(found);
    await iterate(client, "SSCAN big @ COUNT 500", cursor, seen);
    assert.equal(seen.size, 4000);
  });

  it("is found out with a user who may read and nothing else", async () => {
    const { client: direct } = proxied.redis;
    await direct.call("ACL", "SETUSER", "reader", "on", ">p", "~*", "+@read", "+evalsha", "+ping", "+role");
    const fill = direct.pipeline();
    for (let i = 0; i < 300; i++) fill.sadd("set", `member:${i}`);
    await fill.exec();
    const client = await proxied.proxy.client();
    assert.equal(await client.call("AUTH reader p"), "+OK");
    const [cursor] = await step(client, "SSCAN set @ COUNT 7", "0");
    assert.ok(Number(cursor) > 2 ** 36, cursor);
  });
});
