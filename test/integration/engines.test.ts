import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { prepareModules, prepareServer, serverNames } from "../support/engines.ts";
import { RunningTopology } from "../support/running-topology.ts";

for (const name of serverNames) {
  describe(`the topology of ${name}`, function () {
    this.timeout(900_000);
    const path = process.env.PATH;
    let running: RunningTopology | undefined;

    before(async function () {
      const server = await prepareServer(name);
      if (server.missing !== undefined) {
        console.log(`      ${name} is skipped: ${server.missing}`);
        this.skip();
      }
      // Nothing of the machine's own Redis is to be found first.
      process.env.PATH = [server.directory, path].join(delimiter);
      running = await RunningTopology.start({ "images:engine": server.engine });
    });

    after(async () => {
      process.env.PATH = path;
      await running?.stop();
    });

    it("runs that very server, keeps data through a crash, a hand-over and the end of everything, and names itself", async () => {
      assert.ok(running);
      const { client, cluster, local } = running;
      const [engine = "", series = ""] = name.split(" ");
      const hello = (await client.call("HELLO", "3")) as unknown[];
      const field = (key: string): string => String(hello[hello.indexOf(key) + 1]);
      assert.equal(field("server"), engine.toLowerCase());
      assert.ok(field("version").startsWith(`${series}.`), field("version"));

      await client.set("before", "the crash");
      await running.failOver();
      assert.equal(await client.get("before"), "the crash");
      await running.recover();

      await client.set("before", "the hand-over");
      const master = await cluster.master();
      await local.restart(master.name);
      await running.isOver(master);
      assert.equal(await client.get("before"), "the hand-over");
      assert.match(readFileSync(local.logOf(master.name), "utf8"), /handed over|hand-over/i);
      await running.recover();

      await client.set("before", "the end of everything");
      await Promise.all(cluster.instances.map((part) => cluster.kill(part)));
      await running.recover();
      assert.equal(await client.get("before"), "the end of everything");
      // It has read its own files, whatever their format: none of them was put aside.
      for (const instance of cluster.instances)
        assert.doesNotMatch(readFileSync(local.logOf(instance.name), "utf8"), /damaged/);
    });
  });
}

describe("redis:modules", function () {
  this.timeout(900_000);
  let running: RunningTopology | undefined;

  before(async function () {
    const modules = await prepareModules();
    if ("missing" in modules) {
      console.log(`      modules are skipped: ${modules.missing}`);
      this.skip();
    }
    const files = ["rejson.so", "redisbloom.so"].map((file) => join(modules.directory, file));
    running = await RunningTopology.start({ "redis:modules": files.join(",") });
  });
  after(() => running?.stop());

  it("have their commands through the proxy, and their data after a failover and a restart", async () => {
    assert.ok(running);
    const { client, cluster } = running;
    await client.call("JSON.SET", "cart", "$", '{"items":[1]}');
    await client.call("BF.ADD", "seen", "you");
    // In a transaction, and behind one another with Redis' own commands.
    await client.multi().call("JSON.ARRAPPEND", "cart", "$.items", "2").set("plain", "too").exec();
    await running.failOver();
    assert.equal(await client.call("JSON.GET", "cart", "$.items"), "[[1,2]]");
    assert.equal(Number(await client.call("BF.EXISTS", "seen", "you")), 1);
    assert.equal(await client.get("plain"), "too");
    await client.call("JSON.NUMINCRBY", "cart", "$.items[0]", "41");
    await running.recover();
    await Promise.all(cluster.instances.map((part) => cluster.kill(part)));
    await running.recover();
    assert.equal(await client.call("JSON.GET", "cart", "$.items"), "[[42,2]]");
  });
});
