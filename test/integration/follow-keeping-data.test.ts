import assert from "node:assert/strict";
import { ControlConnection } from "../../quorum/control-connection.ts";
import { followKeepingData, nowhere } from "../../sentinel-image/failover/follow-keeping-data.ts";
import { heartbeatKey } from "../../sentinel-image/supervise/heartbeat.ts";
import { AclServer } from "../support/acl-server.ts";
import { eventually } from "../support/eventually.ts";
import { freePort, RedisProcess } from "../support/redis-process.ts";

describe("redis:durability quorum, on real servers", function () {
  this.timeout(30_000);
  /** The old master, a replica that has all it took, and one that lacks its last write and was promoted. */
  let [master, full, short]: RedisProcess[] = [];
  const connections: ControlConnection[] = [];
  const to = ({ port }: RedisProcess): ControlConnection => {
    const connection = new ControlConnection({ address: { host: "127.0.0.1", port }, timeoutMs: 3000 });
    connections.push(connection);
    return connection;
  };
  const roleOf = async (server: RedisProcess): Promise<unknown[]> =>
    (await server.client.call("ROLE")) as unknown[];

  before(async () => {
    const run = async (): Promise<RedisProcess> => {
      const port = await freePort();
      const lines = [
        `port ${port}`,
        "bind 127.0.0.1",
        'save ""',
        "repl-diskless-sync yes",
        "repl-diskless-sync-delay 0",
        "repl-diskless-load swapdb",
      ];
      return RedisProcess.startWithFile(port, lines);
    };
    [master, full, short] = await Promise.all([run(), run(), run()]);
    assert.ok(master && full && short);
    for (const replica of [full, short]) await replica.client.replicaof("127.0.0.1", master.port);
    await eventually(
      async () => {
        await master?.client.set(heartbeatKey, "3:1000");
        assert.equal(await master?.client.wait(2, 1000), 2);
      },
      { withinMs: 10_000 },
    );
    await short.client.replicaof(nowhere.host, nowhere.port);
    await master.client.set("confirmed", "yes");
    assert.equal(await master.client.wait(1, 1000), 1);
    await short.client.replicaof("NO", "ONE");
  });
  after(async () => {
    for (const connection of connections) connection.close();
    for (const server of [master, full, short]) await server?.kill();
  });

  it("doesn't follow a promoted instance that lacks a write, and stays where it is", async () => {
    assert.ok(master && full && short);
    const verdict = await followKeepingData(to(full), to(short), 4, {});
    assert.equal(verdict.joins, false, JSON.stringify(verdict));
    assert.equal(await full.client.get("confirmed"), "yes");
    assert.deepEqual((await roleOf(full)).slice(0, 3), ["slave", "127.0.0.1", master.port]);
    const ofMaster = await followKeepingData(to(master), to(short), 4, {});
    assert.equal(ofMaster.joins, false, JSON.stringify(ofMaster));
    assert.equal((await roleOf(master))[0], "master");
  });

  it("follows one that has all, and so does the one that was promoted for nothing", async () => {
    assert.ok(master && full && short);
    await full.client.replicaof("NO", "ONE");
    assert.deepEqual(await followKeepingData(to(master), to(full), 5, {}), {
      joins: true,
      because: "continues",
    });
    assert.deepEqual(await followKeepingData(to(short), to(full), 5, {}), {
      joins: true,
      because: "never-led",
    });
    await eventually(async () => assert.equal(await short?.client.get("confirmed"), "yes"), {
      withinMs: 10_000,
    });
    const stats = await master.client.info("replication");
    assert.match(stats, /master_link_status:up/, "it goes on where it was");
  });

  it("lets a Sentinel promote, and not have an instance follow another one", async () => {
    const server = await AclServer.start("redis", [{ name: "default" }], [], [], true);
    try {
      const sentinel = server.as("sentinel");
      await assert.rejects(sentinel.call("SLAVEOF", "127.0.0.1", "1"), /NOPERM/);
      const transaction = sentinel.multi().call("SLAVEOF", "127.0.0.1", "1").call("CONFIG", "REWRITE").exec();
      await assert.rejects(transaction, /EXECABORT/);
      assert.match(String(await sentinel.call("SLAVEOF", "NO", "ONE")), /^OK/);
    } finally {
      await server.stop();
    }
  });
});
