import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../support/eventually.ts";
import { RunningTopology } from "../support/running-topology.ts";

describe("redis:persistence off", function () {
  this.timeout(900_000);
  let running: RunningTopology;

  before(async () => {
    running = await RunningTopology.start({ "redis:persistence": "off" });
  });
  after(() => running.stop());

  it("loses nothing with one instance, be it the master that is back at once, empty", async () => {
    const { client, cluster, local } = running;
    for (let i = 0; i < 100; i++) await client.set(`key:${i}`, i);
    const master = await cluster.master();
    await cluster.kill(master);
    // Sooner than any Sentinel sees it down: they name it still, and its replicas would copy what it has.
    await cluster.start(master);
    await running.recover();
    assert.notEqual((await cluster.master()).name, master.name);
    assert.equal(await client.dbsize(), 101, "with the heartbeat");
    await local.restart((await cluster.master()).name);
    await running.recover();
    assert.equal(await client.dbsize(), 101);
    for (const { name } of cluster.instances) {
      const directory = local.stateDirectory(name);
      for (const file of ["appendonlydir", "dump.rdb"])
        assert.ok(!existsSync(join(directory, file)), `${name} has ${file}`);
    }
  });

  it("comes back empty and writable when all instances are killed at once", async () => {
    const { client, cluster } = running;
    const begin = performance.now();
    await Promise.all(cluster.instances.map((part) => cluster.kill(part)));
    for (const part of cluster.instances) await cluster.start(part);
    await eventually(async () => assert.equal(await client.set("new", "life"), "OK"), { withinMs: 240_000 });
    console.log(`      writable after ${((performance.now() - begin) / 1000).toFixed(1)} s`);
    assert.equal(await client.get("key:1"), null);
    await running.recover();
  });

  it("comes back without an instance that is gone for good", async () => {
    const { client, cluster } = running;
    const master = await cluster.master();
    const [gone] = cluster.instances.filter(({ name }) => name !== master.name);
    assert.ok(gone);
    await Promise.all(cluster.instances.map((part) => cluster.kill(part)));
    for (const part of cluster.instances) if (part !== gone) await cluster.start(part);
    await eventually(async () => assert.equal(await client.set("new", "life"), "OK"), { withinMs: 240_000 });
  });
});

describe("a set of two Redis", function () {
  this.timeout(900_000);
  let running: RunningTopology;

  before(async () => {
    running = await RunningTopology.start({ "redis:instances": "2" });
  });
  after(() => running.stop());

  it("takes writes with one of them, whichever it is, and has both copies again", async () => {
    const { client } = running;
    await client.set("before", "the failover");
    await running.failOver();
    assert.equal(await client.get("before"), "the failover");
    assert.equal(await client.set("alone", "yes"), "OK");
    await running.recover();
    await running.failOver();
    assert.equal(await client.get("alone"), "yes");
    await running.recover();
  });
});

describe("a set of one Redis", function () {
  this.timeout(900_000);
  let running: RunningTopology;

  before(async () => {
    running = await RunningTopology.start({ "redis:instances": "1" });
  });
  after(() => running.stop());

  it("is healthy, and comes back with its data", async () => {
    const { client, cluster } = running;
    await client.set("kept", "yes");
    const master = await cluster.master();
    await cluster.kill(master);
    await cluster.start(master);
    // A busy machine takes longer for that than the proxy holds commands.
    await eventually(async () => assert.equal(await client.get("kept"), "yes"), { withinMs: 240_000 });
    await running.recover();
    assert.equal((await cluster.master()).name, master.name);
  });
});
