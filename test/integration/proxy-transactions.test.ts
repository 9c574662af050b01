import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { answers, closesAfter, closesBefore } from "../support/fake-redis-faults.ts";
import { uncertain, useProxy } from "../support/proxy-fixture.ts";

describe("the proxy, transactions", () => {
  const test = useProxy();

  const failover = async (): Promise<void> => {
    await test.loseMaster();
    test.topology.promoteSecond();
  };

  for (const protocol of [2, 3] as const) {
    describe(`in RESP${protocol}`, () => {
      const nil = protocol === 2 ? "*-1" : "_";

      it("are rebuilt on the new master when EXEC was not sent", async () => {
        const client = await test.client(protocol);
        client.pipeline("MULTI", "SET a 1", "INCR a");
        assert.deepEqual(await client.replies(3), ["+OK", "+QUEUED", "+QUEUED"]);
        await failover();
        client.pipeline("INCR b", "EXEC", "GET a");
        assert.deepEqual(await client.replies(3), ["+QUEUED", ["+OK", 2, 1], "2"]);
        assert.deepEqual(
          test.first.executed.filter((text) => /SET|INCR/.test(text)),
          [],
        );
        assert.equal(test.second.arrived.filter((text) => text === "SET a 1").length, 1);
      });

      it("with WATCH answer nil to EXEC, and the next try works", async () => {
        const client = await test.client(protocol);
        client.pipeline("WATCH a", "GET a", "MULTI", "SET a 1");
        await client.replies(4);
        await failover();
        assert.equal(await client.call("EXEC"), nil);
        assert.equal(test.second.data.text("a"), undefined);
        client.pipeline("WATCH a", "MULTI", "SET a 2", "EXEC");
        assert.deepEqual(await client.replies(4), ["+OK", "+OK", "+QUEUED", ["+OK"]]);
        assert.equal(test.second.data.text("a"), "2");
      });

      it("end with DISCARD: what is sent behind it at once is no part of them", async () => {
        const client = await test.client(protocol);
        client.pipeline("MULTI", "SET a 1", "DISCARD", "CLIENT REPLY SKIP", "GET b", "SELECT 1", "SET c 2");
        assert.deepEqual(await client.replies(5), ["+OK", "+QUEUED", "+OK", "+OK", "+OK"]);
        assert.ok(test.first.log.every(({ text }) => !text.startsWith("CLIENT REPLY")));
        assert.equal(test.first.log.findLast(({ text }) => text === "SET c 2")?.db, 1);
      });

      it("can't contain CLIENT REPLY, whose effect the proxy wouldn't see", async () => {
        const client = await test.client(protocol);
        client.pipeline("MULTI", "CLIENT REPLY OFF", "EXEC", "GET a");
        const [multi, refusal, exec, get] = await client.replies(4);
        assert.equal(multi, "+OK");
        assert.match(String(refusal), /^-ERR client reply isn't possible inside MULTI/);
        assert.match(String(exec), /^-EXECABORT/);
        assert.equal(get, protocol === 2 ? null : "_");
      });

      it("answer nil when the WATCH was before the failover and the MULTI after it", async () => {
        const client = await test.client(protocol);
        await client.call("WATCH a");
        await failover();
        client.pipeline("GET a", "MULTI", "SET a 1", "EXEC");
        assert.deepEqual((await client.replies(4)).slice(1), ["+OK", "+QUEUED", nil]);
        assert.equal(test.second.data.text("a"), undefined);
        // Nobody gets the connection on which that transaction is still open.
        const other = await test.client(protocol);
        for (const one of [client, other]) {
          one.pipeline("MULTI", "SET a 2", "EXEC");
          assert.deepEqual(await one.replies(3), ["+OK", "+QUEUED", ["+OK"]]);
        }
      });
    });
  }

  it("aren't nil for a WATCH that was given up", async () => {
    const client = await test.client();
    await client.call("WATCH a");
    await failover();
    client.pipeline("UNWATCH", "MULTI", "SET a 1", "EXEC");
    assert.deepEqual(await client.replies(4), ["+OK", "+OK", "+QUEUED", ["+OK"]]);
  });

  it("aren't nil for a WATCH that went with a DISCARD", async () => {
    const client = await test.client();
    client.pipeline("WATCH a", "MULTI", "SET a 1");
    await client.replies(3);
    await failover();
    client.pipeline("DISCARD", "MULTI", "SET a 1", "EXEC");
    assert.deepEqual(await client.replies(4), ["+OK", "+OK", "+QUEUED", ["+OK"]]);
  });

  for (const [how, fault, value] of [
    ["before", closesBefore, undefined],
    ["after", closesAfter, "1"],
  ] as const) {
    it(`are UNCERTAIN when EXEC was in flight, lost ${how} it was executed, and never sent again`, async () => {
      const client = await test.client();
      test.first.once(/^EXEC/, fault);
      client.pipeline("MULTI", "INCR a", "EXEC", "EXISTS b");
      const [multi, incr, exec, exists] = await client.replies(4);
      assert.deepEqual([multi, incr, exists], ["+OK", "+QUEUED", 0]);
      assert.match(String(exec), uncertain);
      assert.equal(test.first.data.text("a"), value);
      assert.equal(test.first.arrived.filter((text) => text === "EXEC").length, 1);
      client.pipeline("MULTI", "INCR c", "EXEC");
      assert.deepEqual(await client.replies(3), ["+OK", "+QUEUED", [1]]);
    });
  }

  it("are rebuilt when a command was refused by a master that is one no more", async () => {
    const client = await test.client();
    client.pipeline("MULTI", "SET a 1");
    await client.replies(2);
    test.first.becomeReplica({ kill: false });
    client.send("SET b 1");
    await test.proxy.holds();
    test.topology.promoteSecond();
    assert.equal(await client.reply(), "+QUEUED");
    assert.deepEqual(await client.call("EXEC"), ["+OK", "+OK"]);
  });

  it("are rebuilt when EXEC was refused", async () => {
    const client = await test.client();
    client.pipeline("MULTI", "SET a 1");
    await client.replies(2);
    test.first.becomeReplica({ kill: false });
    client.pipeline("EXEC", "GET a");
    await test.proxy.holds();
    test.topology.promoteSecond();
    assert.deepEqual(await client.replies(2), [["+OK"], "1"]);
    assert.equal(test.first.data.text("a"), undefined);
  });

  it("are rebuilt when they were refused as a whole, in one packet", async () => {
    const client = await test.client();
    test.first.becomeReplica({ kill: false });
    client.pipeline("MULTI", "SET a 1", "EXEC", "GET a");
    await test.proxy.holds();
    test.topology.promoteSecond();
    assert.deepEqual(await client.replies(4), ["+OK", "+QUEUED", ["+OK"], "1"]);
  });

  it("stay broken when they were broken by their client", async () => {
    const client = await test.client();
    client.pipeline("MULTI", "SET a 1");
    await client.replies(2);
    test.first.once(/^INCR/, answers("-ERR wrong number of arguments for 'incr' command"));
    test.second.once(/^INCR/, answers("-ERR wrong number of arguments for 'incr' command"));
    assert.match(String(await client.call("INCR a b")), /^-ERR wrong number/);
    await failover();
    assert.match(String(await client.call("EXEC")), /^-EXECABORT/);
    assert.equal(test.second.data.text("a"), undefined);
    assert.equal(await client.call("SET a 2"), "+OK");
  });

  it("that are sent while there is no master are executed whole", async () => {
    const client = await test.client();
    await test.loseMaster();
    client.pipeline("MULTI", "INCR a", "INCR a", "EXEC");
    await test.settled();
    test.topology.promoteSecond();
    assert.deepEqual(await client.replies(4), ["+OK", "+QUEUED", "+QUEUED", [1, 2]]);
  });

  it("of a client that leaves are never executed", async () => {
    const client = await test.client();
    client.pipeline("MULTI", "INCR a");
    await client.replies(2);
    await test.loseMaster();
    client.send("EXEC");
    await test.settled();
    client.destroy();
    await test.settled();
    test.topology.promoteSecond();
    assert.equal(await (await test.client()).call("EXISTS a"), 0);
    assert.ok(!test.second.arrived.includes("EXEC"));
  });

  it("don't mix with other clients' commands", async () => {
    const [one, two] = [await test.client(), await test.client()];
    one.pipeline("MULTI", "INCR a");
    await one.replies(2);
    assert.equal(await two.call("SET b 5"), "+OK");
    await eventually(() => assert.equal(test.first.data.text("b"), "5"));
    assert.deepEqual(await one.call("EXEC"), [1]);
  });

  it("leave it to the server what an error inside means, step by step, and aren't built again with less", async () => {
    const client = await test.client();
    const begin = async (): Promise<void> => {
      assert.equal(await client.call("MULTI"), "+OK");
      assert.match(String(await client.call("MULTI")), /^-ERR MULTI calls can not be nested/);
      assert.equal(await client.call("INCR a"), "+QUEUED");
    };
    await begin();
    assert.deepEqual(await client.call("EXEC"), [1]);
    await begin();
    await test.loseMaster();
    test.topology.promoteSecond();
    assert.match(String(await client.call("EXEC")), /^-EXECABORT/);
    assert.equal(test.second.data.text("a"), undefined);
  });
});
