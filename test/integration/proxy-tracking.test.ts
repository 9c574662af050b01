import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { RespClient } from "../support/resp-client.ts";
import type { Shown } from "../support/resp-frames.ts";
import { TwoMasters } from "../support/two-masters.ts";

const everything = [">", "invalidate", "_"];
const everythingSaid = ["message", "__redis__:invalidate", null];

describe("what is tracked for a client", function () {
  this.timeout(30_000);
  let two: TwoMasters;
  beforeEach(async () => {
    two = await TwoMasters.start();
  });
  afterEach(() => two?.stop());

  /** Ends the server's side of a connection. */
  async function cut(id: Shown): Promise<void> {
    await two.first.client.call("CLIENT", "KILL", "ID", String(id));
  }

  /** A client of the old protocol that gets the invalidations of others. */
  async function listener(): Promise<{ readonly client: RespClient; readonly id: number }> {
    const client = await two.proxy.client();
    const id = Number(await client.call("CLIENT ID"));
    await client.call("SUBSCRIBE __redis__:invalidate");
    return { client, id };
  }

  for (const planned of [false, true]) {
    it(`are the prefixes of all its requests, ${planned ? "handed over" : "after a kill"}`, async () => {
      const client = await two.proxy.client(3);
      for (const request of ["BCAST PREFIX a", "BCAST PREFIX b NOLOOP"])
        assert.equal(await client.call(`CLIENT TRACKING ON ${request}`), "+OK");
      await two.failOver(planned);
      assert.deepEqual(await client.reply(5000), everything);
      assert.equal(await client.call("SET a1 own"), "+OK");
      for (const key of ["b1", "c1", "a2"]) await two.second.client.set(key, "x");
      const told = (await client.replies(2)).map((push) => JSON.stringify(push));
      assert.deepEqual(told.sort(), [
        JSON.stringify([">", "invalidate", ["a2"]]),
        JSON.stringify([">", "invalidate", ["b1"]]),
      ]);
    });
  }

  for (const requests of [
    ["ON OPTIN NOLOOP"],
    ["ON OPTOUT"],
    ["ON OPTIN NOLOOP", "ON OPTIN"],
    ["ON BCAST PREFIX a PREFIX b", "ON BCAST", "ON BCAST NOLOOP"],
    ["ON BCAST PREFIX a", "OFF", "ON BCAST PREFIX b"],
    ["ON BCAST PREFIX a", "OFF"],
  ]) {
    it(`is the same after a failover: ${requests.join(", ")}`, async () => {
      const client = await two.proxy.client(3);
      for (const request of requests) assert.equal(await client.call(`CLIENT TRACKING ${request}`), "+OK");
      const before = await client.call("CLIENT TRACKINGINFO");
      await two.failOver(false);
      const tracks = requests.at(-1) !== "OFF";
      if (tracks) assert.deepEqual(await client.reply(5000), everything);
      assert.deepEqual(await client.call("CLIENT TRACKINGINFO"), before);
    });
  }

  it("is told to the client that it names, also when both have another id", async () => {
    // Ids of the second server begin elsewhere.
    for (let i = 0; i < 5; i++) (await RespClient.connect(two.second.port)).destroy();
    const { client: target, id } = await listener();
    const client = await two.proxy.client();
    assert.equal(await client.call(`CLIENT TRACKING ON REDIRECT ${id}`), "+OK");
    await two.failOver(false);
    assert.equal(await client.call("GET x"), null);
    assert.deepEqual(await target.reply(5000), everythingSaid);
    await two.second.client.set("x", "1");
    await eventually(() =>
      assert.deepEqual(target.unread.at(-1), ["message", "__redis__:invalidate", ["x"]]),
    );
  });

  it("is told on, and that all may have changed, when only the other client's connection was lost", async () => {
    const { client: target, id } = await listener();
    const client = await two.proxy.client();
    await client.call(`CLIENT TRACKING ON REDIRECT ${id}`);
    assert.equal(await client.call("GET x"), null);
    await cut(id);
    assert.deepEqual(await target.reply(5000), everythingSaid);
    await two.first.client.set("x", "1");
    assert.deepEqual(await target.reply(5000), ["message", "__redis__:invalidate", ["x"]]);
  });

  it("is told on where it went when the server has refused another target, which had no connection", async () => {
    const { client: target, id } = await listener();
    const other = await two.proxy.client();
    const otherId = await other.call("CLIENT ID");
    const client = await two.proxy.client();
    assert.equal(await client.call(`CLIENT TRACKING ON REDIRECT ${id}`), "+OK");
    await cut(otherId);
    assert.match(
      String(await client.call(`CLIENT TRACKING ON REDIRECT ${otherId} NONSENSE`)),
      /^-ERR syntax/,
    );
    assert.equal(await client.call("GET x"), null);
    await cut(id);
    assert.deepEqual(await target.reply(5000), everythingSaid);
    await two.first.client.set("x", "1");
    assert.deepEqual(await target.reply(5000), ["message", "__redis__:invalidate", ["x"]]);
  });

  it("goes to whom a client means with an id from before the failover", async () => {
    for (let i = 0; i < 5; i++) (await RespClient.connect(two.second.port)).destroy();
    const { client: target, id } = await listener();
    await two.failOver(false);
    const client = await two.proxy.client();
    assert.equal(await client.call("GET x"), null);
    assert.equal(await client.call(`CLIENT TRACKING ON REDIRECT ${id}`), "+OK");
    assert.equal(await client.call("GET x"), null);
    await two.second.client.set("x", "1");
    assert.deepEqual(await target.reply(5000), ["message", "__redis__:invalidate", ["x"]]);
  });

  it("ends, and is said to, when the other client isn't one of this proxy", async () => {
    const stranger = await RespClient.connect(two.first.port);
    const id = await stranger.call("CLIENT ID");
    const [old, modern] = [await two.proxy.client(), await two.proxy.client(3)];
    for (const client of [old, modern])
      assert.equal(await client.call(`CLIENT TRACKING ON REDIRECT ${id}`), "+OK");
    await two.failOver(false);
    assert.deepEqual(await modern.reply(5000), [">", "tracking-redir-broken", id]);
    assert.equal(await modern.call("GET x"), "_");
    await old.gone(5000);
    stranger.destroy();
  });

  it("isn't left out for a command behind a transaction that CACHING NO was about", async () => {
    const client = await two.proxy.client(3);
    const id = await client.call("CLIENT ID");
    await client.call("CLIENT TRACKING ON OPTOUT");
    for (const command of ["CLIENT CACHING NO", "MULTI", "GET y", "EXEC"]) await client.call(command);
    await cut(id);
    assert.deepEqual(await client.reply(5000), everything);
    await client.call("GET x");
    await two.first.client.set("x", "1");
    assert.deepEqual(await client.reply(5000), [">", "invalidate", ["x"]]);
  });
});
