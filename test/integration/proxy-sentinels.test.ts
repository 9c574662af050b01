import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { FakeRedis } from "../support/fake-redis.ts";
import { closesBefore } from "../support/fake-redis-faults.ts";
import { useProxy } from "../support/proxy-fixture.ts";

describe("the proxy, Sentinels that lie, are frozen or gone", () => {
  const test = useProxy();

  for (const [what, spoil] of [
    ["names another master at a huge epoch", () => test.topology.sentinels[2].names(test.second.address, 99)],
    ["is frozen", () => test.topology.sentinels[2].freeze()],
    ["is gone", () => test.topology.sentinels[2].stop()],
    ["talks nonsense", () => Object.assign(test.topology.sentinels[2], { garbage: "+what?\r\n" })],
  ] as const) {
    it(`one Sentinel that ${what} disturbs nobody, and a failover works`, async () => {
      const client = await test.client();
      await spoil();
      for (let i = 1; i <= 5; i++) {
        await test.rounds(1);
        assert.equal(await client.call("INCR a"), i);
      }
      assert.deepEqual(test.second.arrived, []);
      if (what.includes("another master")) return;
      await test.loseMaster();
      test.second.role = "master";
      for (const sentinel of test.topology.sentinels.slice(0, 2)) {
        sentinel.switchTo(test.second.address, 2, "mymaster");
      }
      assert.equal(await client.call("INCR a"), 1);
    });
  }

  describe("the word of a single Sentinel", () => {
    it("is enough when it leads the failover: the one that it names was a replica of the master", async () => {
      const client = await test.client();
      await test.loseMaster();
      test.second.role = "master";
      test.topology.sentinels[1].switchTo(test.second.address, 2, "mymaster");
      assert.equal(await client.call("INCR b"), 1);
      assert.equal(test.second.data.text("b"), "1");
    });

    it("doesn't lead to a Redis with other data, though that one says that it is master", async () => {
      const client = await test.client();
      const stranger = await new FakeRedis(test.first.table).start();
      try {
        test.topology.sentinels[1].switchTo(stranger.address, 99, "mymaster");
        for (let i = 1; i <= 5; i++) {
          await test.rounds(1);
          assert.equal(await client.call("INCR a"), i);
        }
        assert.deepEqual(stranger.arrived, []);
      } finally {
        await stranger.stop();
      }
    });

    it("doesn't lead back to the old master that doesn't know yet that it was replaced", async () => {
      const client = await test.client();
      await client.call("INCR a");
      test.topology.promoteSecond();
      await eventually(() => assert.equal(test.first.connections.size, 0));
      assert.equal(await client.call("INCR b"), 1);
      assert.equal(test.first.role, "master");
      test.topology.sentinels[1].switchTo(test.first.address, 99, "mymaster");
      for (let i = 2; i <= 6; i++) {
        await test.rounds(1);
        assert.equal(await client.call("INCR b"), i);
      }
      assert.equal(test.first.data.text("b"), undefined);
    });
  });

  describe("when all Sentinels are gone", () => {
    beforeEach(async () => {
      for (const sentinel of test.topology.sentinels) await sentinel.stop();
    });

    it("keeps the master, also for new clients and new connections", async () => {
      for (let i = 1; i <= 3; i++) {
        await test.probes(test.first, 1);
        const client = await test.client();
        client.pipeline("INCR a", "MULTI", "GET a", "EXEC");
        assert.deepEqual(await client.replies(4), [i, "+OK", "+QUEUED", [String(i)]]);
      }
    });

    it("connects again with it after a connection was lost", async () => {
      const client = await test.client();
      await client.call("INCR a");
      test.first.once(/^GET/, closesBefore);
      assert.equal(await client.call("GET a"), "1");
      assert.equal(await client.call("INCR a"), 2);
    });

    it("stops writing to it when it says that it is a replica", async () => {
      const client = await test.client();
      await client.call("INCR a");
      test.first.becomeReplica({ kill: false });
      client.send("INCR a");
      await test.proxy.holds();
      assert.equal(test.first.data.text("a"), "1");
      assert.deepEqual(client.unread, []);
    });
  });
});
