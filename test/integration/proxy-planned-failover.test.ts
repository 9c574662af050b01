import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { answers, waitsFor } from "../support/fake-redis-faults.ts";
import { masterName } from "../support/fake-topology.ts";
import { useProxy } from "../support/proxy-fixture.ts";
import type { RespClient } from "../support/resp-client.ts";

describe("the proxy, a failover that the Sentinels tell of before it happens", () => {
  const test = useProxy();
  let client: RespClient;
  beforeEach(async () => {
    client = await test.client();
    await eventually(() => assert.ok(test.topology.sentinels.every(({ subscribers }) => subscribers === 1)));
  });

  const select = (sentinel = 0, name = masterName, { host, port } = test.first.address): void =>
    test.topology.sentinels[sentinel]?.publish(
      "+selected-slave",
      `slave x 127.0.0.1 1 @ ${name} ${host} ${port}`,
    );
  /** A write that is held, as the first Redis shows. */
  async function isHeld(command: string): Promise<void> {
    client.send(command);
    await test.settled();
    assert.deepEqual(client.unread, []);
    assert.ok(!test.first.arrived.includes(command));
  }

  it("holds writes from the moment a replica is selected, and gives them to the promoted one", async () => {
    await client.call("INCR a");
    select();
    await test.proxy.holds();
    await isHeld("INCR b");
    test.topology.promoteSecond();
    assert.equal(await client.reply(), 1);
    assert.deepEqual(test.second.executed, ["INCR b"]);
    assert.equal(await test.proxy.metric("redis_ha_proxy_uncertain_total"), 0);
  });

  it("lets the master answer what is in flight", async () => {
    const answer = Promise.withResolvers<void>();
    test.first.once(/^INCR a/, waitsFor(answer.promise));
    client.send("INCR a");
    await eventually(() => assert.ok(test.first.arrived.includes("INCR a")));
    select();
    await test.proxy.holds();
    answer.resolve();
    assert.equal(await client.reply(), 1);
  });

  it("goes on with the old master at once when the failover is given up", async () => {
    select();
    await test.proxy.holds();
    await isHeld("INCR a");
    const begin = performance.now();
    test.topology.sentinels[0].publish("-failover-abort-slave-timeout", `master ${masterName} 127.0.0.1 2`);
    assert.equal(await client.reply(), 1);
    assert.ok(performance.now() - begin < 1500, `${performance.now() - begin} ms`);
    assert.equal(test.first.data.text("a"), "1");
  });

  it("takes no notice of another master's failover", async () => {
    select(0, "another");
    await test.rounds(2);
    assert.equal(await client.call("INCR a"), 1);
    assert.equal(await test.proxy.metric("redis_ha_proxy_holding"), 0);
  });

  it("takes no notice of the failover that has made the master one: its news came late", async () => {
    test.topology.promoteSecond();
    await eventually(async () => {
      await client.call("INCR a");
      assert.deepEqual(test.second.executed, ["INCR a"]);
    });
    select();
    await test.rounds(2);
    const begin = performance.now();
    assert.equal(await client.call("INCR a"), 2);
    assert.ok(performance.now() - begin < 1000, `${performance.now() - begin} ms`);
  });

  it("waits 3 seconds for the promotion and no longer; a Sentinel that tells of it again is waited for no more", async () => {
    select(2);
    await test.proxy.holds();
    await isHeld("INCR a");
    assert.equal(await client.reply(4500), 1);
    for (let i = 2; i <= 6; i++) {
      select(2);
      await test.rounds(1);
      const begin = performance.now();
      assert.equal(await client.call("INCR a"), i);
      assert.ok(performance.now() - begin < 2000, `${performance.now() - begin} ms`);
    }
  });

  it("sends a write again that the promoted one refuses because its replicas aren't there yet", async () => {
    await test.loseMaster();
    test.second.once(/^INCR/, answers("-NOREPLICAS Not enough good replicas to write."));
    test.topology.promoteSecond();
    assert.equal(await client.call("INCR a"), 1);
    assert.deepEqual(test.second.arrived, ["INCR a", "INCR a"]);
    assert.deepEqual(test.second.executed, ["INCR a"]);
  });
});
