import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { TwoMasters } from "../support/two-masters.ts";

/** What a promoted instance is like in its first moments: it takes no write before a replica has come. */
describe("the proxy, a transaction that is built again on a master without its replicas", () => {
  let test: TwoMasters;
  beforeEach(async function () {
    this.timeout(20_000);
    test = await TwoMasters.start();
    await test.second.client.config("SET", "min-replicas-to-write", "1");
  });
  afterEach(() => test.stop());

  for (const [planned, more, replies] of [
    [true, ["EXEC"], [[1]]],
    [false, ["EXEC"], [[1]]],
    [true, ["RPUSH l 2", "EXEC"], ["+QUEUED", [1, 2]]],
    [false, ["RPUSH l 2", "EXEC"], ["+QUEUED", [1, 2]]],
  ] as const) {
    it(`waits for them, and is executed once; ${more.join()}, the old one ${planned ? "lives" : "died"}`, async () => {
      const client = await test.proxy.client();
      assert.equal(await client.call("MULTI"), "+OK");
      assert.equal(await client.call("RPUSH l 1"), "+QUEUED");
      await test.failOver(planned);
      for (const command of more) client.send(command);
      await delay(300);
      assert.deepEqual(client.unread, []);
      await test.second.client.config("SET", "min-replicas-to-write", "0");
      assert.deepEqual(await client.replies(more.length), replies);
      assert.equal(await test.second.client.llen("l"), more.length);
    });
  }
}).timeout(20_000);
