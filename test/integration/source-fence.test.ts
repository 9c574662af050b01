import assert from "node:assert/strict";
import { ControlConnection } from "../../quorum/control-connection.ts";
import { SourceFence } from "../../sentinel-image/move/source-fence.ts";
import { freePort, RedisProcess } from "../support/redis-process.ts";

describe("the fence around a Redis whose data are taken over", function () {
  this.timeout(20_000);
  let source: RedisProcess;
  let connection: ControlConnection;
  let fence: SourceFence;

  beforeEach(async () => {
    const port = await freePort();
    source = await RedisProcess.start(port, ["--port", String(port), "--save", ""]);
    await source.client.call("ACL", "SETUSER", "mover", "on", ">secret", "~*", "&*", "+@all");
    connection = new ControlConnection({
      address: { host: "127.0.0.1", port },
      username: "mover",
      password: () => "secret",
    });
    fence = new SourceFence(connection);
  });

  afterEach(async () => {
    connection.close();
    await source.kill();
  });

  const setting = async (name: string): Promise<string> =>
    ((await source.client.config("GET", name)) as string[])[1] ?? "";

  it("makes writes wait, and lets them go on", async () => {
    const other = source.client.duplicate();
    await fence.begin(10_000);
    const write = other.set("a", "1");
    assert.equal(await source.client.get("a"), null);
    await fence.end();
    assert.equal(await write, "OK");
    other.disconnect();
  });

  it("answers those who wait when it is closed meanwhile", async () => {
    const other = source.client.duplicate();
    await fence.begin(10_000);
    const refused = assert.rejects(other.set("a", "1"), /READONLY/);
    await source.client.ping();
    await fence.close();
    await fence.end();
    await refused;
    assert.equal(await fence.settle(), false);
    assert.equal((await source.client.role())[0], "master");
    await assert.rejects(source.client.set("a", "1"), /NOREPLICAS/);
    assert.equal(await fence.settle(), false);
    assert.equal(await source.client.get("a"), null);
    other.disconnect();
  });

  for (const usual of ["0", "3"]) {
    it(`refuses writes where they can't be paused, and leaves what was asked for before: ${usual}`, async () => {
      await source.client.call("ACL", "SETUSER", "mover", "-client|pause");
      await source.client.config("SET", "min-replicas-to-write", usual);
      await fence.begin(10_000);
      await assert.rejects(source.client.set("a", "1"), /NOREPLICAS/);
      await fence.end();
      assert.equal(await setting("min-replicas-to-write"), usual);
    });
  }

  it("stays closed where they can't be paused, too, and where nobody counts replicas", async () => {
    await source.client.call("ACL", "SETUSER", "mover", "-client|pause");
    await source.client.config("SET", "min-replicas-max-lag", "0");
    await fence.begin(10_000);
    await fence.close();
    await fence.end();
    await assert.rejects(source.client.set("a", "1"), /READONLY/);
    await fence.settle();
    await assert.rejects(source.client.set("a", "1"), /NOREPLICAS/);
  });

  it("is put up again around one that was started again, and left alone where somebody else has made it a replica", async () => {
    await fence.close();
    await fence.settle();
    await source.client.config("SET", "min-replicas-to-write", "0");
    assert.equal(await fence.settle(), true);
    await assert.rejects(source.client.set("a", "1"), /NOREPLICAS/);
    await source.client.call("REPLICAOF", "127.0.0.1", "2");
    assert.equal(await fence.settle(), false);
    assert.equal((await source.client.role())[0], "slave");
  });

  it("is taken away again when the cut-over is undone", async () => {
    for (const mayPause of [true, false]) {
      if (!mayPause) await source.client.call("ACL", "SETUSER", "mover", "-client|pause");
      await fence.begin(10_000);
      await fence.close();
      await fence.undo();
      assert.equal(await source.client.set("a", "1"), "OK");
      assert.equal(await setting("min-replicas-to-write"), "0");
    }
  });
});
