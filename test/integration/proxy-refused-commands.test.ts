import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { answers } from "../support/fake-redis-faults.ts";
import { useProxy } from "../support/proxy-fixture.ts";
import { RespClient } from "../support/resp-client.ts";

describe("the proxy, commands that a demoted master refuses", () => {
  const test = useProxy();

  for (const [code, text] of [
    ["READONLY", "READONLY You can't write against a read only replica."],
    ["MASTERDOWN", "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."],
    ["LOADING", "LOADING Redis is loading the dataset in memory"],
  ] as const) {
    it(`are sent again after ${code}, and their client doesn't see it`, async () => {
      const client = await test.client();
      test.first.becomeReplica({ kill: false });
      test.first.always(/^(INCR|GET)/, answers(`-${text}`));
      client.send("INCR a");
      await eventually(() => assert.deepEqual(test.first.arrived, ["INCR a"]));
      await test.proxy.holds();
      assert.deepEqual(client.unread, []);
      test.topology.promoteSecond();
      assert.equal(await client.reply(), 1);
      assert.deepEqual(test.second.executed, ["INCR a"]);
      assert.equal(test.first.data.text("a"), undefined);
    });
  }

  it("are sent again after NOREPLICAS during a failover", async () => {
    const client = await test.client();
    test.first.becomeReplica({ kill: false });
    test.first.once(/^INCR a/, answers("-READONLY You can't write against a read only replica."));
    test.first.once(/^INCR b/, answers("-NOREPLICAS Not enough good replicas to write."));
    client.pipeline("INCR a", "INCR b");
    await test.proxy.holds();
    test.topology.promoteSecond();
    assert.deepEqual(await client.replies(2), [1, 1]);
    assert.deepEqual(test.second.executed, ["INCR a", "INCR b"]);
  });

  for (const [refusal, why] of [
    ["NOREPLICAS Not enough good replicas to write.", "replicas come back to a master that stays one"],
    ["MISCONF Errors writing to the AOF file: No space left on device", "the supervisors replace it"],
  ] as const) {
    it(`are sent again after ${refusal.split(" ")[0]}, too, while ${why}`, async () => {
      const client = await test.client();
      test.first.once(/^INCR/, answers(`-${refusal}`));
      assert.equal(await client.call("INCR a"), 1);
      assert.deepEqual(test.first.arrived, ["INCR a", "INCR a"]);
    });
  }

  it("take the client's later commands with them: a read sees what was written before it", async () => {
    const client = await test.client();
    test.first.data.set("a", "stale");
    test.first.becomeReplica({ kill: false });
    client.pipeline("SET a new", "GET a", "INCR b", "GET b");
    await test.proxy.holds();
    test.topology.promoteSecond();
    assert.deepEqual(await client.replies(4), ["+OK", "new", 1, "1"]);
  });

  for (const refusal of [
    "-READONLY You can't write against a read only replica.",
    "-NOREPLICAS Not enough good replicas to write.",
  ]) {
    it(`are not sent again after a later one was executed, that would turn their order round: ${refusal.split(" ")[0]}`, async () => {
      const client = await test.client();
      test.first.once(/^SET a 1/, answers(refusal));
      client.pipeline("SET a 1", "SET a 2", "GET a");
      assert.deepEqual(await client.replies(3), [refusal, "+OK", "2"]);
      assert.equal(test.first.data.text("a"), "2");
    });
  }

  it("are sent again when only reads came through behind them", async () => {
    const client = await test.client();
    test.first.once(/^INCR a/, answers("-NOREPLICAS Not enough good replicas to write."));
    client.pipeline("INCR a", "GET a");
    assert.deepEqual(await client.replies(2), [1, "1"]);
  });

  it("of several clients all come through, each in its order", async () => {
    const clients = [];
    for (let i = 0; i < 5; i++) clients.push(await test.client(i % 2 === 0 ? 2 : 3));
    test.first.becomeReplica({ kill: false });
    for (const [i, client] of clients.entries()) client.pipeline(`RPUSH l${i} 1`, `RPUSH l${i} 2`);
    await test.proxy.holds();
    test.topology.promoteSecond();
    for (const client of clients) assert.deepEqual(await client.replies(2), [1, 2]);
  });

  for (const text of [
    "WRONGTYPE Operation against a key holding the wrong kind of value",
    "OOM command not allowed when used memory > 'maxmemory'.",
    "NOSCRIPT No matching script. Please use EVAL.",
    "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
    "READONLYISH is another code",
  ]) {
    it(`pass ${text.split(" ")[0]} on as it is, and send nothing again`, async () => {
      const client = await test.client();
      test.first.once(/^INCR/, answers(`-${text}`));
      assert.equal(await client.call("INCR a"), `-${text}`);
      assert.equal(await client.call("INCR a"), 1);
      assert.deepEqual(test.first.arrived, ["INCR a", "INCR a"]);
    });
  }

  describe("that block", () => {
    it("block on the new master for the time that is left, after UNBLOCKED", async () => {
      const client = await test.client();
      const begin = performance.now();
      client.send("BLPOP l 30");
      await eventually(() => assert.deepEqual(test.first.arrived, ["BLPOP l 30"]));
      test.first.becomeReplica();
      await test.proxy.holds();
      test.topology.promoteSecond();
      await eventually(() => assert.equal(test.second.arrived.length, 1));
      const [name, key, left] = test.second.clientCommands[0]?.args ?? [];
      assert.deepEqual([name, key], ["BLPOP", "l"]);
      const least = 30 - (performance.now() - begin) / 1000;
      assert.ok(Number(left) < 30 && Number(left) >= least - 0.05, `${left} s left`);
      assert.equal(await (await test.client()).call("RPUSH l x"), 1);
      assert.deepEqual(await client.reply(), ["l", "x"]);
    });

    for (const [word, then] of [
      ["gives it back", "waits on at the next one"],
      ["gives an element of its own", "is closed, and doesn't get it"],
    ] as const) {
      it(`at a master that was replaced and ${word} a moment later: the client ${then}`, async () => {
        const client = await test.client();
        client.send("BLPOP l 0");
        await eventually(() => assert.deepEqual(test.first.arrived, ["BLPOP l 0"]));
        test.topology.promoteSecond();
        const other = await test.client();
        await eventually(async () => {
          await other.call("SET a 1");
          assert.ok(test.second.arrived.includes("SET a 1"));
        });
        if (word === "gives it back") {
          test.first.becomeReplica();
          await eventually(() => assert.ok(test.second.arrived.includes("BLPOP l 0")));
          assert.equal(await other.call("RPUSH l x"), 1);
          assert.deepEqual(await client.reply(), ["l", "x"]);
          // Nobody took its word for one about the next master.
          assert.equal(await test.proxy.metric("redis_ha_proxy_holding"), 0);
        } else {
          const direct = await RespClient.connect(test.first.address.port);
          await direct.call("RPUSH l theirs");
          direct.destroy();
          await client.gone();
          assert.deepEqual(client.unread, []);
          assert.ok(!test.second.arrived.includes("BLPOP l 0"));
        }
      });
    }

    it("without a limit go on without one", async () => {
      const client = await test.client(3);
      client.send("BLPOP l m 0");
      await eventually(() => assert.equal(test.first.arrived.length, 1));
      test.first.becomeReplica();
      await test.proxy.holds();
      test.topology.promoteSecond();
      await eventually(() => assert.deepEqual(test.second.arrived, ["BLPOP l m 0"]));
      await (await test.client()).call("RPUSH m x");
      assert.deepEqual(await client.reply(), ["m", "x"]);
    });

    it("get nil when their time is over before there is a master", async () => {
      const client = await test.client();
      client.send("BLPOP l 0.4");
      await eventually(() => assert.equal(test.first.arrived.length, 1));
      test.first.becomeReplica();
      await test.first.stop();
      assert.equal(await client.reply(), "*-1");
      test.topology.promoteSecond();
      assert.equal(await client.call("EXISTS l"), 0);
    });

    it("read a stream on with the time that is left", async () => {
      const client = await test.client();
      client.send("XREAD BLOCK 30000 STREAMS s 5-0");
      await eventually(() => assert.equal(test.first.arrived.length, 1));
      test.first.becomeReplica();
      await test.proxy.holds();
      test.topology.promoteSecond();
      await eventually(() => assert.equal(test.second.arrived.length, 1));
      const args = test.second.clientCommands[0]?.args ?? [];
      assert.deepEqual([args[0], args[1], ...args.slice(3)], ["XREAD", "BLOCK", "STREAMS", "s", "5-0"]);
      assert.ok(Number(args[2]) < 30_000 && Number(args[2]) > 25_000, `${args[2]} ms left`);
    });
  });
});
