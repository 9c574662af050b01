import assert from "node:assert/strict";
import { answers, closesAfter, closesBefore } from "../support/fake-redis-faults.ts";
import { uncertain, useProxy } from "../support/proxy-fixture.ts";

const nopermMulti = "-NOPERM this user has no permissions to run the 'multi' command";

describe("a MULTI that the server refuses", () => {
  const test = useProxy();

  it("leaves its client outside of a transaction", async () => {
    const client = await test.client();
    test.first.once(/^MULTI/, answers(nopermMulti));
    assert.equal(await client.call("MULTI"), nopermMulti);
    client.pipeline("INCR a", "SUBSCRIBE c", "UNSUBSCRIBE c", "SELECT 1", "EXEC");
    const [incr, subscribed, , select, exec] = await client.replies(5);
    assert.deepEqual([incr, select], [1, "+OK"]);
    assert.deepEqual(subscribed, ["subscribe", "c", 1]);
    assert.match(String(exec), /^-ERR EXEC without MULTI/);
  });

  it("leaves commands that stood behind it in the same packet what they are outside of one", async () => {
    const client = await test.client();
    test.first.once(/^MULTI/, answers(nopermMulti));
    client.pipeline("MULTI", "INCR a", "SUBSCRIBE c", "UNSUBSCRIBE c", "EXEC", "MULTI", "INCR a", "EXEC");
    const [multi, incr, subscribed, , exec, ...second] = await client.replies(8);
    assert.deepEqual([multi, incr], [nopermMulti, 1]);
    assert.deepEqual(subscribed, ["subscribe", "c", 1]);
    assert.match(String(exec), /^-ERR EXEC without MULTI/);
    assert.deepEqual(second, ["+OK", "+QUEUED", [2]]);
  });

  it("lets no command in flight run twice", async () => {
    const client = await test.client();
    test.first.once(/^MULTI/, answers(nopermMulti));
    assert.equal(await client.call("MULTI"), nopermMulti);
    test.first.once(/^INCR/, closesAfter);
    assert.match(String(await client.call("INCR a")), uncertain);
    assert.equal(test.first.data.text("a"), "1");
  });

  it("lets no command run twice that was in flight with it", async () => {
    const client = await test.client();
    // The answers to both were lost: nobody knows that it was refused.
    test.first.once(/^MULTI/, () => undefined);
    test.first.once(/^INCR/, closesAfter);
    client.pipeline("MULTI", "INCR a");
    const [multi, incr] = await client.replies(2);
    assert.equal(multi, "+OK");
    assert.match(String(incr), uncertain);
    assert.match(String(await client.call("EXEC")), /^-EXECABORT/);
    assert.equal(test.first.data.text("a"), "1");
    client.pipeline("MULTI", "INCR a", "EXEC");
    assert.deepEqual(await client.replies(3), ["+OK", "+QUEUED", [2]]);
  });

  it("replays no earlier write over another client's later one", async () => {
    const [client, other] = [await test.client(), await test.client()];
    test.first.once(/^MULTI/, answers(nopermMulti));
    assert.equal(await client.call("MULTI"), nopermMulti);
    assert.equal(await client.call("SET k old"), "+OK");
    assert.equal(await other.call("SET k new"), "+OK");
    test.first.once(/^GET/, closesBefore);
    assert.equal(await client.call("GET k"), "new");
    assert.equal(test.first.data.text("k"), "new");
  });

  it("on a new master executes nothing of what was queued, and says why", async () => {
    const client = await test.client();
    client.pipeline("MULTI", "SET a 1", "INCR a");
    assert.deepEqual(await client.replies(3), ["+OK", "+QUEUED", "+QUEUED"]);
    test.second.once(/^MULTI/, answers(nopermMulti));
    await test.loseMaster();
    test.topology.promoteSecond();
    client.pipeline("INCR b", "EXEC", "GET a");
    const [incr, exec, get] = await client.replies(3);
    assert.deepEqual([incr, get], [nopermMulti, null]);
    assert.match(String(exec), /^-EXECABORT/);
    assert.deepEqual([test.second.data.text("a"), test.second.data.text("b")], [undefined, undefined]);
  });
});

describe("a state in a transaction", () => {
  const test = useProxy();

  it("of a nested MULTI that was lost is still that transaction", async () => {
    const client = await test.client();
    client.pipeline("MULTI", "SET a 1");
    await client.replies(2);
    test.first.once(/^MULTI/, closesBefore);
    assert.match(String(await client.call("MULTI")), /^-ERR MULTI calls can not be nested/);
    // What Redis makes of a transaction in which it has refused something is its own affair; but it is one.
    assert.equal(await client.call("INCR a"), "+QUEUED");
    assert.equal(test.first.data.text("a"), undefined);
  });

  it("is still there when DISCARD was refused", async () => {
    const client = await test.client();
    client.pipeline("MULTI", "SET a 1");
    await client.replies(2);
    test.first.once(/^DISCARD/, answers("-NOPERM this user has no permissions to run the 'discard' command"));
    assert.match(String(await client.call("DISCARD")), /^-NOPERM/);
    assert.equal(await client.call("SET b 1"), "+QUEUED");
    assert.match(String(await client.call("EXEC")), /^-EXECABORT/);
  });

  it("is nil for no WATCH that was refused", async () => {
    const client = await test.client();
    test.first.once(/^WATCH/, answers("-NOPERM no permissions to access a key"));
    assert.match(String(await client.call("WATCH a")), /^-NOPERM/);
    await test.loseMaster();
    test.topology.promoteSecond();
    client.pipeline("MULTI", "SET a 1", "EXEC");
    assert.deepEqual(await client.replies(3), ["+OK", "+QUEUED", ["+OK"]]);
  });

  it("stays nil after an UNWATCH that was refused", async () => {
    const client = await test.client();
    assert.equal(await client.call("WATCH a"), "+OK");
    await test.loseMaster();
    test.topology.promoteSecond();
    test.second.once(
      /^UNWATCH/,
      answers("-NOPERM this user has no permissions to run the 'unwatch' command"),
    );
    assert.match(String(await client.call("UNWATCH")), /^-NOPERM/);
    client.pipeline("MULTI", "SET a 1", "EXEC");
    assert.deepEqual(await client.replies(3), ["+OK", "+QUEUED", "*-1"]);
  });

  it("that names its client is kept", async () => {
    const client = await test.client();
    client.pipeline("MULTI", "CLIENT SETNAME n", "SELECT 1", "EXEC");
    assert.deepEqual((await client.replies(4)).at(-1), ["+OK", "+OK"]);
    assert.equal(await client.call("CLIENT GETNAME"), "n");
    await client.call("SET c 1");
    assert.equal(test.first.log.findLast(({ text }) => text === "SET c 1")?.db, 1);
  });
});
