import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { askRole } from "../../quorum/ask-role.ts";
import { ControlConnection } from "../../quorum/control-connection.ts";
import { WritePause } from "../../sentinel-image/failover/write-pause.ts";
import { eventually } from "../support/eventually.ts";
import { freePort, RedisProcess } from "../support/redis-process.ts";

describe("a master whose writes are paused", function () {
  this.timeout(20_000);
  let master: RedisProcess;
  let replica: RedisProcess;
  let control: ControlConnection;
  let pause: WritePause;

  before(async () => {
    const [own, other] = [await freePort(), await freePort()];
    master = await RedisProcess.startWithFile(own, [
      `port ${own}`,
      "repl-ping-replica-period 1",
      "repl-diskless-sync-delay 0",
    ]);
    replica = await RedisProcess.startWithFile(other, [`port ${other}`, `replicaof 127.0.0.1 ${own}`]);
    control = new ControlConnection({ address: { host: "127.0.0.1", port: master.port } });
    pause = new WritePause(control);
    await eventually(async () => assert.match(await replica.client.info("replication"), /link_status:up/), {
      withinMs: 10_000,
    });
  });

  after(async () => {
    control.close();
    await replica.kill();
    await master.kill();
  });

  const offset = async (): Promise<number> => (await askRole(control)).offset;
  const period = async (): Promise<unknown> =>
    (await master.client.call("CONFIG", "GET", "repl-ping-replica-period")) as unknown;

  it("sends nothing to its replicas, not even a PING or a message", async () => {
    const idle = await offset();
    await eventually(async () => assert.ok((await offset()) > idle, "it sends PINGs otherwise"));
    await pause.begin(10_000);
    const paused = await offset();
    const write = master.client.set("key", "value");
    // Beside that one, which waits.
    const sentinel = master.client.duplicate();
    const message = sentinel.publish("channel", "message");
    await delay(2500);
    assert.equal(await offset(), paused);
    await pause.end();
    assert.equal(await write, "OK");
    assert.equal(await message, 0);
    sentinel.disconnect();
    assert.deepEqual(await period(), ["repl-ping-replica-period", "1"]);
    await eventually(async () => assert.equal(await replica.client.get("key"), "value"));
  });

  it("goes on as before when it was paused twice, and nothing happens at the end of no pause", async () => {
    await pause.begin(10_000);
    await pause.begin(10_000);
    await pause.end();
    await pause.end();
    assert.deepEqual(await period(), ["repl-ping-replica-period", "1"]);
    assert.equal(await master.client.set("key", "again"), "OK");
  });

  it("takes writes again by itself in the end", async () => {
    await pause.begin(300);
    const began = performance.now();
    assert.equal(await master.client.set("key", "later"), "OK");
    assert.ok(performance.now() - began > 200);
    await pause.end();
  });
});
