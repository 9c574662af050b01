import assert from "node:assert/strict";
import { connect } from "node:net";
import { eventually } from "../support/eventually.ts";
import { waitsFor } from "../support/fake-redis-faults.ts";
import { useProxy } from "../support/proxy-fixture.ts";

describe("the proxy, told to end", () => {
  const test = useProxy();

  it("closes idle clients in order and ends with exit code 0", async () => {
    const clients = [await test.client(), await test.client(3)];
    for (const client of clients) await client.call("INCR a");
    const code = test.proxy.terminate();
    for (const client of clients) await client.gone();
    assert.equal(await code, 0);
    for (const client of clients) {
      assert.equal(client.error, undefined);
      assert.deepEqual(client.unread, []);
    }
  });

  it("isn't ready any more, lives, and takes no new client, while it answers what is in flight", async () => {
    const client = await test.client();
    const gate = Promise.withResolvers<void>();
    test.first.once(/^INCR a/, waitsFor(gate.promise));
    client.pipeline("INCR a", "INCR a");
    await eventually(() => assert.ok(test.first.arrived.includes("INCR a")));
    const code = test.proxy.terminate();
    await eventually(async () => assert.equal(await test.proxy.health("/readyz"), 503));
    assert.equal(await test.proxy.health("/livez"), 200);
    await eventually(() => refuses(test.proxy.port));
    assert.ok(client.isOpen);
    gate.resolve();
    assert.deepEqual(await client.replies(2), [1, 2]);
    await client.gone();
    assert.equal(client.error, undefined);
    assert.equal(await code, 0);
  });

  it("loses nothing of clients that go on writing until they are closed", async () => {
    const clients = await Promise.all(Array.from({ length: 10 }, () => test.client()));
    let acknowledged = 0;
    let running = true;
    const loads = clients.map(async (client) => {
      while (running && client.isOpen) {
        client.send("INCR n");
        try {
          const reply = await client.reply(3000);
          assert.equal(typeof reply, "number", String(reply));
          acknowledged++;
        } catch (error) {
          // The end came before the reply: allowed only when it wasn't executed, which is counted below.
          if (client.isOpen) throw error;
        }
      }
    });
    await eventually(() => assert.ok(acknowledged > 50));
    const code = await test.proxy.terminate();
    running = false;
    await Promise.all(loads);
    assert.equal(code, 0);
    assert.equal(test.first.data.text("n"), String(acknowledged));
  });

  it("waits for an open transaction to come to its end", async () => {
    const client = await test.client();
    client.pipeline("MULTI", "INCR a");
    await client.replies(2);
    const code = test.proxy.terminate();
    await eventually(async () => assert.equal(await test.proxy.health("/readyz"), 503));
    assert.deepEqual(await client.call("EXEC"), [1]);
    await client.gone();
    assert.equal(await code, 0);
  });

  it("ends at once at the second signal", async () => {
    const client = await test.client();
    client.pipeline("BLPOP l 0");
    await eventually(() => assert.equal(test.first.arrived.length, 1));
    const code = test.proxy.terminate();
    await eventually(async () => assert.equal(await test.proxy.health("/readyz"), 503));
    test.proxy.terminate().catch(() => undefined);
    await client.gone();
    assert.notEqual(await code, null);
  });
});

async function refuses(port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect(port, "127.0.0.1")
    .once("error", () => resolve())
    .once("connect", () => reject(new Error("it takes new clients")));
  try {
    await promise;
  } finally {
    socket.destroy();
  }
}
