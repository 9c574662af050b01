import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { ProxiedRedis } from "../support/proxied-redis.ts";
import type { RespClient } from "../support/resp-client.ts";

const holdTimeoutMs = 1000;
/** A try may just have begun, and the next one is half a second away; the rest is for a machine that is busy. */
const slackMs = 6000;
const full = /^-LOADING the master takes no new connection \(ERR max number of clients reached\)/;

/** The master is there and serves whom it has, but refuses everybody new: who needs a new connection must not wait for ever. */
describe("the proxy, a master that takes no new connection", () => {
  let test: ProxiedRedis;
  let client: RespClient;
  beforeEach(async function () {
    this.timeout(30_000);
    await start();
  });
  afterEach(() => test.stop());

  async function start(): Promise<void> {
    test = await ProxiedRedis.start(["user app on >secret ~* &* +@all"], { holdTimeoutMs });
    client = await test.proxy.client();
    assert.equal(await client.call("SET a 1"), "+OK");
  }

  /**
   * A machine that stops this process for a third of a second makes the proxy doubt the master, whose answer to its new question is a refusal, too: then
   * there is none, which is another matter. What was found meanwhile doesn't count.
   */
  async function undisturbed(action: () => Promise<void>, again = 2): Promise<void> {
    let disturbed = false;
    test.proxy.server.watcher.on("change", () => {
      disturbed = true;
    });
    try {
      await action();
    } catch (error) {
      if (!disturbed || again === 0) throw error;
      await test.stop();
      await start();
      await undisturbed(action, again - 1);
    }
  }

  const allow = (clients: number) => test.redis.client.call("CONFIG", "SET", "maxclients", String(clients));

  async function waitsAtMost(who: RespClient, ...commands: string[]): Promise<void> {
    for (const command of commands) {
      const begin = performance.now();
      who.send(command);
      assert.match(String(await who.reply(holdTimeoutMs + slackMs)), full, command);
      const ms = performance.now() - begin;
      assert.ok(ms < holdTimeoutMs + slackMs, `${command} was answered after ${ms} ms`);
    }
  }

  /** There is room again: no try is further away than half a second. */
  async function isServed(who: RespClient, command: string): Promise<void> {
    await eventually(
      async () => {
        who.send(command);
        assert.equal(await who.reply(holdTimeoutMs + slackMs), "+OK");
      },
      { withinMs: 10_000 },
    );
  }

  it("tells a client that needs one of its own what the server says, and goes on serving the others", () =>
    undisturbed(async () => {
      const other = await test.proxy.client();
      assert.equal(await other.call("GET a"), "1");
      await allow(2);
      await Promise.all([
        waitsAtMost(client, "BLPOP l 0", "MULTI", "SUBSCRIBE c", "CLIENT ID"),
        (async () => {
          for (let i = 0; i < 20; i++) assert.equal(await other.call("GET a"), "1");
        })(),
      ]);
      assert.equal(await client.call("GET a"), "1");
      assert.equal(await test.proxy.metric("redis_ha_proxy_failovers_total"), 0);
      await allow(100);
      await isServed(client, "WATCH a");
    }));

  it("tells one that is the first of its kind, whatever it says first", () =>
    undisturbed(async () => {
      const [user, third, database] = [
        await test.proxy.client(),
        await test.proxy.client(),
        await test.proxy.client(),
      ];
      await allow(2);
      await Promise.all([
        waitsAtMost(user, "AUTH app secret"),
        waitsAtMost(third, "HELLO 3 AUTH app secret"),
        waitsAtMost(database, "SELECT 5"),
      ]);
      await allow(100);
      await isServed(user, "AUTH app secret");
      assert.equal(await user.call("GET a"), "1");
    }));

  it("isn't taken for a refusal of the client's user", () =>
    undisturbed(async () => {
      const user = await test.proxy.client();
      assert.equal(await user.call("AUTH app secret"), "+OK");
      assert.equal(await user.call("GET a"), "1");
      await allow(2);
      await waitsAtMost(user, "MULTI");
      assert.equal(await user.call("GET a"), "1");
    }));

  it("is tried ever more seldom", () =>
    undisturbed(async () => {
      await allow(2);
      const refused = async () => Number(/rejected_connections:(\d+)/.exec(await info())?.[1]);
      const info = async () => String(await test.redis.client.call("INFO", "stats"));
      const before = await refused();
      const first = await test.proxy.client();
      first.send("WATCH a");
      // Who comes before the first refusal tries at once: nobody knows of it yet.
      await eventually(async () => assert.ok((await refused()) > before));
      await Promise.all(
        Array.from({ length: 20 }, async () => waitsAtMost(await test.proxy.client(), "WATCH a", "WATCH a")),
      );
      const tries = (await refused()) - before;
      assert.ok(tries > 2 && tries < 25, `${tries} tries`);
    }));
}).timeout(60_000);
