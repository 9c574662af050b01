import assert from "node:assert/strict";
import { type RedisConfInput, renderRedisConf } from "../../../../sentinel-image/conf/redis-conf.ts";
import { eventually } from "../../../support/eventually.ts";
import { freePort, RedisProcess, temporaryDirectory } from "../../../support/redis-process.ts";

const password = 'pass "word" #1';

describe("renderRedisConf on a real redis-server", () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let port: number;
  const running: RedisProcess[] = [];
  beforeEach(async () => {
    directory = temporaryDirectory();
    port = await freePort();
  });
  afterEach(async () => {
    for (const redis of running.splice(0)) await redis.kill();
    directory.remove();
  });

  async function start(input: Partial<RedisConfInput> = {}): Promise<RedisProcess> {
    const text = renderRedisConf({
      bind: "127.0.0.1",
      self: { host: "127.0.0.1", port },
      dataDirectory: directory.path,
      maxmemoryBytes: 64 * 2 ** 20,
      maxmemoryPolicy: "noeviction",
      instanceCount: 3,
      extraConfig: undefined,
      password,
      master: undefined,
      ...input,
    });
    const redis = await RedisProcess.startWithFile(port, text.split("\n"), { password });
    running.push(redis);
    return redis;
  }
  async function setting(redis: RedisProcess, name: string): Promise<string | undefined> {
    return ((await redis.client.config("GET", name)) as string[])[1];
  }

  it("starts as a master that takes no write before a replica is there", async () => {
    const redis = await start();
    assert.deepEqual((await redis.client.role())[0], "master");
    await assert.rejects(redis.client.set("k", "v"), /NOREPLICAS/);
    assert.equal(await setting(redis, "replica-priority"), "0");
    assert.equal(await setting(redis, "appendonly"), "yes");
    assert.equal(await setting(redis, "maxmemory"), String(64 * 2 ** 20));
  });

  it("wants the password, also when it has blanks and quotes", async () => {
    const redis = await start();
    const stranger = redis.client.duplicate({ password: "wrong", retryStrategy: () => null });
    stranger.on("error", () => undefined);
    await assert.rejects(stranger.ping());
    stranger.disconnect();
  });

  it("starts as a replica that tries to reach its master", async () => {
    const masterPort = await freePort();
    const redis = await start({ master: { host: "127.0.0.1", port: masterPort } });
    const [role, host, ofPort] = (await redis.client.role()) as unknown as [string, string, number];
    assert.deepEqual([role, host, ofPort], ["slave", "127.0.0.1", masterPort]);
    await assert.rejects(redis.client.set("k", "v"), /READONLY/);
  });

  it("synchronises a replica with the master's password, and then the master takes writes", async () => {
    const master = await start();
    const replicaDirectory = temporaryDirectory();
    const masterAddress = { host: "127.0.0.1", port };
    port = await freePort();
    try {
      await start({
        self: { host: "127.0.0.1", port },
        dataDirectory: replicaDirectory.path,
        master: masterAddress,
      });
      await eventually(async () => assert.equal(await master.client.set("k", "v"), "OK"));
    } finally {
      replicaDirectory.remove();
    }
  });

  it("writes through, and needs so many replicas, as it is told", async () => {
    const inForce = async (redis: RedisProcess) =>
      Promise.all(["appendfsync", "min-replicas-to-write"].map((name) => setting(redis, name)));
    assert.deepEqual(await inForce(await start({ fsync: "always", neededReplicas: 2 })), ["always", "2"]);
  });

  it("takes further lines of the configuration", async () => {
    const redis = await start({ extraConfig: "slowlog-max-len 7\nhash-max-listpack-entries 9" });
    assert.equal(await setting(redis, "slowlog-max-len"), "7");
    assert.equal(await setting(redis, "hash-max-listpack-entries"), "9");
  });

  it("starts with the smallest memory that is offered", async () => {
    await start({ maxmemoryBytes: 2 ** 20, instanceCount: 2 });
  });

  it("refuses a password with a line break", () => {
    assert.throws(
      () =>
        renderRedisConf({
          bind: "127.0.0.1",
          self: { host: "h", port: 1 },
          dataDirectory: "/data",
          maxmemoryBytes: 1,
          maxmemoryPolicy: "noeviction",
          instanceCount: 3,
          extraConfig: undefined,
          password: "a\nreplicaof evil 6379",
          master: undefined,
        }),
      /line break/,
    );
  });
});
