import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { waitsFor } from "../support/fake-redis-faults.ts";
import { useProxy } from "../support/proxy-fixture.ts";

describe("the proxy, a client that moves between connections", () => {
  const test = useProxy();

  it("waits for the replies of the shared one first", async () => {
    const client = await test.client();
    const gate = Promise.withResolvers<void>();
    test.first.once(/^SET a 1/, waitsFor(gate.promise));
    client.pipeline("SET a 1", "MULTI", "GET a", "EXEC");
    await eventually(() => assert.ok(test.first.arrived.includes("SET a 1")));
    await test.settled();
    assert.deepEqual(test.first.arrived, ["SET a 1"]);
    gate.resolve();
    assert.deepEqual(await client.replies(4), ["+OK", "+OK", "+QUEUED", ["1"]]);
  });

  it("waits for the replies of its own one first", async () => {
    const client = await test.client();
    const gate = Promise.withResolvers<void>();
    test.first.once(/^EXEC/, waitsFor(gate.promise));
    client.pipeline("MULTI", "SET a 1", "EXEC", "GET a");
    await eventually(() => assert.ok(test.first.arrived.includes("EXEC")));
    await test.settled();
    assert.ok(!test.first.arrived.includes("GET a"));
    gate.resolve();
    assert.deepEqual(await client.replies(4), ["+OK", "+QUEUED", ["+OK"], "1"]);
  });

  it("keeps what the proxy answers itself in its place", async () => {
    const client = await test.client();
    const gate = Promise.withResolvers<void>();
    test.first.once(/^GET a/, waitsFor(gate.promise));
    client.pipeline("GET a", "CLIENT SETNAME me", "CLIENT GETNAME", "SELECT 1", "GET b", "SHUTDOWN", "QUIT");
    await eventually(() => assert.ok(test.first.arrived.includes("GET a")));
    await test.settled();
    assert.deepEqual(client.unread, []);
    gate.resolve();
    const replies = await client.replies(7);
    assert.deepEqual(replies.slice(0, 5), [null, "+OK", "me", "+OK", null]);
    assert.match(String(replies[5]), /^-/);
    assert.equal(replies[6], "+OK");
    await client.gone();
  });
});
