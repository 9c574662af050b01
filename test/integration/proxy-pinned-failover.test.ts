import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { useProxy } from "../support/proxy-fixture.ts";

describe("the proxy, what a client had set on its own connection, after a failover", () => {
  const test = useProxy();

  const failover = async (): Promise<void> => {
    await test.loseMaster();
    test.topology.promoteSecond();
  };
  const nameOf = (connection: number) =>
    test.second.log.find((entry) => entry.connection === connection && /^CLIENT SETNAME/i.test(entry.text))
      ?.args[2];

  it("CLIENT TRACKING is on again, and the client is told to forget what it has cached", async () => {
    const client = await test.client(3);
    assert.equal(await client.call("CLIENT TRACKING ON"), "+OK");
    await failover();
    assert.deepEqual(await client.reply(), [">", "invalidate", "_"]);
    await eventually(() => assert.ok([...test.second.connections].some(({ tracking }) => tracking)));
    assert.equal(await client.call("GET a"), "_");
    assert.deepEqual(client.unread, []);
  });

  it("CLIENT REPLY OFF still holds", async () => {
    const client = await test.client();
    client.pipeline("CLIENT REPLY OFF", "SET a 1");
    await eventually(() => assert.ok(test.first.arrived.includes("SET a 1")));
    await failover();
    client.pipeline("SET a 2", "CLIENT REPLY ON", "GET a");
    assert.deepEqual(await client.replies(2), ["+OK", "2"]);
  });

  it("CLIENT NO-EVICT is said again", async () => {
    const client = await test.client();
    assert.equal(await client.call("CLIENT NO-EVICT ON"), "+OK");
    await failover();
    assert.equal(await client.call("GET a"), null);
    assert.equal(test.second.connectionOf("CLIENT NO-EVICT ON"), test.second.connectionOf("GET a"));
    assert.deepEqual(client.unread, []);
  });

  it("MONITOR ends with the connection: nobody else's commands are what was asked for", async () => {
    const client = await test.client();
    await client.call("MONITOR");
    await failover();
    await client.gone();
  });

  it("an unknown command's client goes on, on one connection", async () => {
    const client = await test.client();
    await client.call("MOD.STATE on");
    await failover();
    client.pipeline("INCR a", "INCR b");
    assert.deepEqual(await client.replies(2), [1, 1]);
    assert.equal(test.second.connectionOf("INCR a"), test.second.connectionOf("INCR b"));
  });

  it("the name is there on a connection of its own, before and after", async () => {
    const client = await test.client();
    client.pipeline("CLIENT SETNAME me", "MULTI", "SET a 1");
    await client.replies(3);
    await failover();
    assert.deepEqual(await client.call("EXEC"), ["+OK"]);
    assert.equal(nameOf(test.second.connectionOf("EXEC")), "me");
    assert.equal(await client.call("CLIENT GETNAME"), "me");
  });
});
