import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { answers, closesAfter, closesBefore } from "../support/fake-redis-faults.ts";
import { FakeSentinel } from "../support/fake-sentinel.ts";
import { useProxy } from "../support/proxy-fixture.ts";
import { freePort, RedisProcess } from "../support/redis-process.ts";
import { RespClient } from "../support/resp-client.ts";
import type { Shown } from "../support/resp-frames.ts";
import { TestProxy } from "../support/test-proxy.ts";

const lost = /^-UNCERTAIN the master changed/;

describe("a client's state changes on the server's word:", () => {
  const test = useProxy();

  it("WAIT says nothing of writes on a lost connection, though another client has got a new one", async () => {
    const [client, other] = [await test.client(), await test.client()];
    assert.equal(await client.call("SET a 1"), "+OK");
    test.first.once(/^ECHO/, closesBefore);
    assert.equal(await other.call("ECHO x"), "x");
    assert.match(String(await client.call("WAIT 0 100")), lost);
    assert.equal(typeof (await client.call("WAIT 0 100")), "number");
  });

  it("WAIT says nothing of writes that went before a read on the new connection", async () => {
    const [client, other] = [await test.client(), await test.client()];
    assert.equal(await client.call("SET a 1"), "+OK");
    test.first.once(/^ECHO/, closesBefore);
    assert.equal(await other.call("ECHO x"), "x");
    assert.equal(await client.call("GET a"), "1");
    assert.match(String(await client.call("WAIT 0 100")), lost);
  });

  it("a refused TRACKING leaves the one before in force after a failover", async () => {
    const client = await test.client(3);
    assert.equal(await client.call("CLIENT TRACKING ON BCAST"), "+OK");
    test.first.once(/^CLIENT TRACKING/, answers("-ERR refused"));
    assert.equal(await client.call("CLIENT TRACKING ON OPTIN"), "-ERR refused");
    await test.loseMaster();
    test.topology.promoteSecond();
    assert.deepEqual(await client.reply(), [">", "invalidate", "_"]);
    assert.equal(await client.call("ECHO x"), "x");
    const restored = test.second.log.filter(({ text }) => text.startsWith("CLIENT TRACKING"));
    assert.deepEqual(
      restored.map(({ text }) => text),
      ["CLIENT TRACKING ON BCAST"],
    );
  });

  it("CACHING YES is brought to the next connection with the command that it is about", async () => {
    const client = await test.client(3);
    await client.call("CLIENT TRACKING ON OPTIN");
    assert.equal(await client.call("CLIENT CACHING YES"), "+OK");
    test.first.once(/^GET/, closesBefore);
    client.send("GET a");
    assert.deepEqual((await client.replies(2))[1], "_");
    // The proxy's own questions come every second, in between on a slow machine.
    const seen = (): string[] =>
      test.first.log.map(({ text }) => text).filter((text) => !/^(ROLE|INFO)/.test(text));
    assert.deepEqual(seen().slice(-3), ["CLIENT TRACKING ON OPTIN", "CLIENT CACHING YES", "GET a"]);
    test.first.once(/^GET/, closesBefore);
    client.send("GET a");
    await client.replies(2);
    assert.deepEqual(seen().slice(-2), ["CLIENT TRACKING ON OPTIN", "GET a"]);
  });

  it("a name reaches the client's own connection, too", async () => {
    const client = await test.client();
    await client.call("CLIENT ID");
    assert.equal(await client.call("CLIENT SETNAME me"), "+OK");
    assert.ok(test.first.log.some(({ text }) => text === "CLIENT SETNAME me"));
  });

  it("an UNSUBSCRIBE that is refused leaves its channel subscribed after a failover", async () => {
    const client = await test.client();
    await client.call("SUBSCRIBE c");
    test.first.once(/^UNSUBSCRIBE/, answers("-NOPERM no"));
    assert.equal(await client.call("UNSUBSCRIBE c"), "-NOPERM no");
    await test.loseMaster();
    test.topology.promoteSecond();
    await eventually(() => assert.ok(test.second.log.some(({ text }) => /^subscribe c/i.test(text))));
  });

  it("a subscriber whom the server doesn't let listen again is ended", async () => {
    const client = await test.client();
    await client.call("SUBSCRIBE c");
    test.first.once(/^PING/, closesAfter);
    test.first.once(/^subscribe c/i, answers("-NOPERM no permissions to access a channel"));
    client.send("PING");
    await client.gone();
  });
});

describe("a client's state, with a genuine Redis:", function () {
  this.timeout(30_000);
  let redis: RedisProcess;
  let proxy: TestProxy;
  const sentinels: FakeSentinel[] = [];

  before(async () => {
    const port = await freePort();
    redis = await RedisProcess.start(port, ["--port", String(port), "--bind", "127.0.0.1", "--save", ""]);
    for (let i = 0; i < 3; i++) sentinels.push(await new FakeSentinel({ host: "127.0.0.1", port }).start());
    proxy = await TestProxy.start({ sentinels });
  });
  after(async () => {
    await proxy?.stop();
    await Promise.all([redis?.kill(), ...sentinels.map((sentinel) => sentinel.stop())]);
  });

  /** What a user's commands are answered directly and through the proxy. */
  async function both(user: string | undefined, commands: readonly string[], protocol: 2 | 3 = 2) {
    const answersOf = async (port: number): Promise<Shown[]> => {
      const client = await RespClient.connect(port, protocol);
      await redis.client.del("a");
      try {
        const all = [...(user === undefined ? [] : [`AUTH ${user} p`]), ...commands];
        const said: Shown[] = [];
        for (const command of all) said.push(await client.call(command));
        return said;
      } finally {
        client.destroy();
      }
    };
    return { direct: await answersOf(redis.port), proxied: await answersOf(proxy.port) };
  }

  for (const [rules, commands] of [
    ["~stats:* +@read", ["SELECT 1", "GET stats:a", "SELECT 1", "SELECT x", "GET stats:b"]],
    ["~* +@all -client", ["CLIENT SETNAME x", "CLIENT GETNAME", "CLIENT REPLY ON", "CLIENT ID", "GET a"]],
    ["~* +@all -select", ["SELECT 0", "SELECT 99", "GET a", "MULTI", "SELECT 1", "GET a", "EXEC"]],
    ["~* +@all -multi", ["MULTI", "INCR a", "SELECT 1", "EXEC", "WATCH a", "UNWATCH", "DISCARD"]],
    [
      "~* +@all -exec -discard -unwatch",
      ["EXEC", "DISCARD", "UNWATCH", "MULTI", "DISCARD", "GET a", "EXEC", "GET a"],
    ],
    [
      "~* +@all",
      [
        "MULTI x",
        "INCR a",
        "EXEC x",
        "UNWATCH x",
        "SELECT 01",
        "SELECT -1",
        "SELECT 16",
        "CLIENT SETINFO lib-name x",
      ],
    ],
  ] as const) {
    it(`a user with ${rules} is refused what Redis refuses, and nothing else`, async () => {
      await redis.client.call("ACL", "SETUSER", "u", "reset", "on", ">p", "&*", ...rules.split(" "));
      const { direct, proxied } = await both("u", commands);
      assert.deepEqual(proxied, direct);
    });
  }

  it("a removed password isn't accepted any more, at once", async () => {
    await redis.client.call("ACL", "SETUSER", "v", "reset", "on", ">p", "~*", "+@all");
    const [one, two] = [await proxy.client(), await proxy.client()];
    assert.equal(await one.call("AUTH v p"), "+OK");
    await redis.client.call("ACL", "SETUSER", "v", "<p");
    assert.match(String(await two.call("AUTH v p")), /^-WRONGPASS/);
  });

  it("MONITOR: PING, RESET and QUIT are answered", async () => {
    const client = await proxy.client();
    assert.equal(await client.call("MONITOR"), "+OK");
    client.send("PING");
    await eventually(() => assert.ok(client.unread.includes("+PONG"), JSON.stringify(client.unread)));
    await client.replies(client.unread.length);
    client.send("RESET");
    await eventually(() => assert.ok(client.unread.includes("+RESET"), JSON.stringify(client.unread)));
    await client.replies(client.unread.length);
    assert.equal(await client.call("PING"), "+PONG");
    assert.equal(await client.call("QUIT"), "+OK");
  });

  for (const mode of ["OFF", "SKIP"]) {
    it(`CLIENT REPLY ${mode} lets through what Redis tells`, async () => {
      const direct = await told(redis.port, mode);
      assert.deepEqual(await told(proxy.port, mode), direct);
    });
  }

  async function told(port: number, mode: string): Promise<readonly Shown[]> {
    const client = await RespClient.connect(port, 3);
    try {
      client.pipeline(`CLIENT REPLY ${mode}`, "SUBSCRIBE c");
      await client.replies(1);
      await redis.client.publish("c", "m");
      return await client.replies(1);
    } finally {
      client.destroy();
    }
  }

  it("PUBLISH to one's own channel inside MULTI loses no element of EXEC's reply", async () => {
    const answer = async (port: number): Promise<string> => {
      const client = await RespClient.connect(port, 3);
      let received = "";
      client.socket.on("data", (piece: Buffer) => {
        received += piece.toString("latin1");
      });
      client.pipeline("SUBSCRIBE own", "MULTI", "PUBLISH own m", "ECHO x", "EXEC", "ECHO end");
      await eventually(() => assert.match(received, /end\r\n$/));
      client.destroy();
      return received;
    };
    assert.equal(await answer(proxy.port), await answer(redis.port));
  });
});
