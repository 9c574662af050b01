import assert from "node:assert/strict";
import { ProxiedRedis } from "../support/proxied-redis.ts";
import type { RespClient } from "../support/resp-client.ts";

/** The client id in the reply to HELLO. */
async function helloId(client: RespClient, ...version: string[]): Promise<number> {
  const reply = await client.call("HELLO", ...version);
  assert.ok(Array.isArray(reply), String(reply));
  return Number(reply[reply.indexOf("id") + 1]);
}

describe("the proxy, a client's id", () => {
  let test: ProxiedRedis;
  beforeEach(async () => {
    test = await ProxiedRedis.start();
  });
  afterEach(() => test.stop());

  it("is the same in HELLO as in CLIENT ID, once the client has asked for it", async () => {
    const client = await test.proxy.client();
    const id = await client.call("CLIENT ID");
    for (const version of [["3"], [], ["2"]]) {
      assert.equal(await helloId(client, ...version), id);
      assert.equal(await client.call("CLIENT ID"), id);
    }
  });

  it("is nobody's in HELLO before: what is done to it is done to no stranger", async () => {
    const waiting = await test.proxy.client();
    waiting.send("BLPOP l 0");
    const client = await test.proxy.client();
    const told = [await helloId(client, "3"), await helloId(await test.proxy.client(), "3")];
    assert.notEqual(told[0], told[1]);
    const ids = /(?<=^id=)\d+/gm;
    assert.deepEqual(
      [...String(await test.redis.client.call("CLIENT", "LIST")).matchAll(ids)].filter(([id]) =>
        told.includes(Number(id)),
      ),
      [],
    );
    for (const id of told) {
      assert.ok(Number.isSafeInteger(id) && id > 2 ** 50, `${id} may be a client's of Redis`);
      assert.equal(await client.call("CLIENT", "UNBLOCK", String(id)), 0);
    }
    await test.redis.client.rpush("l", "x");
    assert.deepEqual(await waiting.reply(), ["l", "x"]);
  });
});
