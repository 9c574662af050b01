import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { useProxy } from "../support/proxy-fixture.ts";
import type { RespClient } from "../support/resp-client.ts";

const users = new Map([
  ["default", "main-secret"],
  ["alice", "alice-secret"],
  ["bob", "bob-secret"],
]);

describe("the proxy, who shares an upstream connection", () => {
  const test = useProxy({ users });

  async function loggedIn(user: string, protocol: 2 | 3 = 2): Promise<RespClient> {
    const client = await test.newcomer();
    const password = users.get(user) ?? "";
    if (protocol === 2) assert.equal(await client.call("AUTH", user, password), "+OK");
    else await client.call("HELLO", "3", "AUTH", user, password);
    return client;
  }
  const entryOf = (text: string) => test.first.log.findLast((entry) => entry.text === text);

  it("clients of one user, database and protocol do", async () => {
    const clients = [await loggedIn("alice"), await loggedIn("alice"), await loggedIn("alice")];
    for (const [i, client] of clients.entries()) await client.call(`GET k${i}`);
    const carriers = new Set(clients.map((_, i) => test.first.connectionOf(`GET k${i}`)));
    assert.ok(carriers.size < 3, `${carriers.size} connections`);
  });

  it("a client whose replies are big shares another one, so that nobody waits behind them", async () => {
    const [big, small] = [await loggedIn("alice"), await loggedIn("alice")];
    test.first.data.set("big", "x".repeat(100_000));
    // The first reply tells what it asks for: no more than one goes before the other's.
    big.pipeline("GET big", "STRLEN big", "GET big");
    await big.rawReplies(3);
    await small.call("GET k");
    assert.notEqual(test.first.connectionOf("GET big"), test.first.connectionOf("GET k"));
    assert.equal(test.first.connectionOf("STRLEN big"), test.first.connectionOf("GET big"));
    const [first] = test.first.log.filter(({ text }) => text === "GET big");
    assert.equal(first?.connection, test.first.connectionOf("GET k"), "nothing tells big ones before");
  });

  it("the first client without a password may send as little as all later ones: the proxy has asked before", async () => {
    await eventually(() => {
      const asked = test.first.log.find(({ text, user }) => text === "ROLE" && user === "");
      // It ends the connection when it has understood the refusal.
      assert.ok(asked !== undefined && !test.first.isOpen(asked.connection));
    });
    const client = await test.newcomer();
    client.socket.write("*11\r\n");
    assert.match(String(await client.reply()), /^-ERR Protocol error: unauthenticated multibulk length/);
  });

  it("two users don't, and each acts as itself", async () => {
    const [alice, bob, main] = [await loggedIn("alice"), await loggedIn("bob"), await loggedIn("default")];
    await alice.call("GET a");
    await bob.call("GET b");
    await main.call("GET c");
    const entries = ["GET a", "GET b", "GET c"].map(entryOf);
    assert.deepEqual(
      entries.map((entry) => entry?.user),
      ["alice", "bob", "default"],
    );
    assert.equal(new Set(entries.map((entry) => entry?.connection)).size, 3);
  });

  it("RESP2 and RESP3 don't, and each gets its own shapes", async () => {
    const [two, three] = [await loggedIn("alice"), await loggedIn("alice", 3)];
    assert.equal(await two.call("GET a"), null);
    assert.equal(await three.call("GET b"), "_");
    const entries = ["GET a", "GET b"].map(entryOf);
    assert.deepEqual(
      entries.map((entry) => entry?.protocol),
      [2, 3],
    );
    assert.notEqual(entries[0]?.connection, entries[1]?.connection);
  });

  it("two databases don't, and a client keeps its own over a failover", async () => {
    const [zero, one] = [await loggedIn("alice"), await loggedIn("alice")];
    assert.equal(await one.call("SELECT 1"), "+OK");
    await zero.call("SET a zero");
    await one.call("SET a one");
    assert.equal(await zero.call("GET a"), "zero");
    assert.equal(await one.call("GET a"), "one");
    assert.notEqual(test.first.connectionOf("SET a zero"), test.first.connectionOf("SET a one"));
    await test.loseMaster();
    test.topology.promoteSecond();
    await one.call("SET b one");
    await zero.call("SET b zero");
    assert.deepEqual([test.second.data.text("b", 0), test.second.data.text("b", 1)], ["zero", "one"]);
    assert.equal(test.second.log.findLast(({ text }) => text === "SET b one")?.user, "alice");
  });

  it("a client that changes its database, user or protocol changes the connection, in its place of the pipeline", async () => {
    const client = await loggedIn("alice");
    client.pipeline("SET k zero", "SELECT 1", "SET k one", "SELECT 0", "GET k", "SELECT 1", "GET k");
    assert.deepEqual(await client.replies(7), ["+OK", "+OK", "+OK", "+OK", "zero", "+OK", "one"]);
    client.pipeline("AUTH bob bob-secret", "GET b", "HELLO 3", "GET c");
    const replies = await client.replies(4);
    assert.deepEqual([replies[0], replies[1], replies[3]], ["+OK", null, "_"]);
    assert.deepEqual([entryOf("GET b")?.user, entryOf("GET c")?.user], ["bob", "bob"]);
    assert.deepEqual([entryOf("GET c")?.protocol, entryOf("GET c")?.db], [3, 1]);
  });

  it("a dedicated connection has the user, database and protocol of its client, also the next one", async () => {
    const client = await loggedIn("bob", 3);
    client.pipeline("SELECT 2", "MULTI", "SET a 1");
    await client.replies(3);
    const before = entryOf("SET a 1");
    assert.deepEqual([before?.user, before?.db, before?.protocol], ["bob", 2, 3]);
    await test.loseMaster();
    test.topology.promoteSecond();
    assert.deepEqual(await client.call("EXEC"), ["+OK"]);
    assert.equal(test.second.data.text("a", 2), "1");
    assert.equal(test.second.log.findLast(({ text }) => text === "EXEC")?.user, "bob");
  });

  it("a client without a password gets NOAUTH, and nothing of it is executed", async () => {
    const client = await test.newcomer();
    assert.match(String(await client.call("SET a 1")), /^-NOAUTH/);
    assert.match(String(await client.call("MULTI")), /^-NOAUTH/);
    assert.match(String(await client.call("AUTH alice wrong")), /^-WRONGPASS/);
    assert.match(String(await client.call("SET a 1")), /^-NOAUTH/);
    assert.equal(test.first.data.text("a"), undefined);
    assert.equal(await client.call("AUTH main-secret"), "+OK");
    assert.equal(await client.call("SET a 1"), "+OK");
  });

  it("a wrong password leaves a client who it was", async () => {
    const client = await loggedIn("alice");
    assert.match(String(await client.call("AUTH bob wrong")), /^-WRONGPASS/);
    await client.call("GET a");
    assert.equal(entryOf("GET a")?.user, "alice");
  });

  it("a client that logs in while there is no master waits for the next one", async () => {
    const client = await test.newcomer();
    await test.loseMaster();
    client.pipeline("AUTH alice alice-secret", "INCR a");
    test.topology.promoteSecond();
    assert.deepEqual(await client.replies(2), ["+OK", 1]);
  });
});
