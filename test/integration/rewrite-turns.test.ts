import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { pino } from "pino";
import { ControlConnection } from "../../quorum/control-connection.ts";
import { parseInfo } from "../../sentinel-image/start/ask-peer.ts";
import { endForks, findForks } from "../../sentinel-image/supervise/fork-child.ts";
import { Rewriter } from "../../sentinel-image/supervise/rewriter.ts";
import { eventually } from "../support/eventually.ts";
import { freePort, RedisProcess, temporaryDirectory } from "../support/redis-process.ts";

const long = 64 * 2 ** 20;
const keys = 400;

describe("rewrites of the append-only files of a master and its replicas", function () {
  this.timeout(60_000);
  const directory = temporaryDirectory();
  const servers: RedisProcess[] = [];
  const connections: ControlConnection[] = [];
  let stop: AbortController;

  before(async () => {
    for (const name of ["master", "replica-1", "replica-2"]) {
      const port = await freePort();
      const redis = await RedisProcess.start(port, [
        ...["--port", String(port), "--dir", directory.path, "--appenddirname", name],
        ...["--dbfilename", `${name}.rdb`, "--appendonly", "yes", "--auto-aof-rewrite-percentage", "0"],
        ...["--save", "", "--repl-diskless-sync-delay", "0"],
        ...(servers[0] === undefined ? [] : ["--replicaof", `127.0.0.1 ${servers[0].port}`]),
      ]);
      servers.push(redis);
    }
    for (const redis of servers.slice(1)) {
      await eventually(
        async () => {
          assert.equal((await infoOf(redis)).get("master_link_status"), "up");
          assert.equal(await isRewriting(redis), false);
        },
        { withinMs: 10_000 },
      );
    }
  });

  beforeEach(() => {
    stop = new AbortController();
  });

  afterEach(async () => {
    stop.abort();
    for (const redis of servers) await redis.client.config("SET", "rdb-key-save-delay", "0");
  });

  after(async () => {
    for (const connection of connections) connection.close();
    for (const redis of servers) await redis.kill();
    directory.remove();
  });

  async function infoOf(redis: RedisProcess): Promise<Map<string, string>> {
    return parseInfo(await redis.client.info());
  }

  async function isRewriting(redis: RedisProcess): Promise<boolean> {
    return (await infoOf(redis)).get("aof_rewrite_in_progress") === "1";
  }

  async function lengthOf(redis: RedisProcess): Promise<number> {
    return Number((await infoOf(redis)).get("aof_current_size"));
  }

  /** 80 MiB of commands in all three files. @param delayUs for each key of a rewrite. */
  async function makeFilesLong(delayUs: number): Promise<void> {
    const [master] = servers;
    assert.ok(master);
    const value = "v".repeat(20_000);
    for (let round = 0; round < 10; round++) {
      const pipeline = master.client.pipeline();
      for (let key = 0; key < keys; key++) pipeline.set(`key:${key}`, `${round}${value}`);
      await pipeline.exec();
    }
    for (const redis of servers) {
      await redis.client.config("SET", "rdb-key-save-delay", String(delayUs));
      await eventually(async () => assert.ok((await lengthOf(redis)) > long));
    }
  }

  function watchOver(own: RedisProcess, end: () => boolean): void {
    const connect = ({ port }: RedisProcess): ControlConnection => {
      const connection = new ControlConnection({ address: { host: "127.0.0.1", port }, timeoutMs: 2000 });
      connections.push(connection);
      return connection;
    };
    const rewriter = new Rewriter({
      server: connect(own),
      peers: servers.filter((redis) => redis !== own).map(connect),
      rankOf: ({ address }) => servers.findIndex(({ port }) => port === address.port),
      dataDirectory: directory.path,
      endForks: end,
      log: pino({ level: "silent" }),
    });
    void rewriter.run(stop.signal);
  }

  it("end by SIGUSR1 without an error, a leftover or a loss", async () => {
    const [, redis] = servers;
    assert.ok(redis);
    assert.equal(endForks(redis.pid), false);
    await makeFilesLong(100_000);
    await redis.client.bgrewriteaof();
    await eventually(async () => assert.equal(await isRewriting(redis), true));
    assert.equal(endForks(redis.pid), true);
    await eventually(async () => assert.equal(await isRewriting(redis), false));
    const info = await infoOf(redis);
    assert.equal(info.get("aof_last_bgrewrite_status"), "ok");
    assert.equal(info.get("aof_last_write_status"), "ok");
    assert.ok(Number(info.get("aof_current_size")) > long);
    const files = readdirSync(directory.path, { recursive: true }).map(String);
    assert.deepEqual(
      files.filter((name) => name.includes("temp")),
      [],
    );
    assert.equal(await redis.client.dbsize(), keys);
  });

  it("that fail aren't begun again at once", async () => {
    await makeFilesLong(100_000);
    const [, redis] = servers;
    assert.ok(redis);
    watchOver(redis, () => assert.fail("nobody else is at it"));
    await eventually(async () => assert.equal(await isRewriting(redis), true), { everyMs: 10 });
    for (const fork of findForks(redis.pid)) process.kill(fork, "SIGKILL");
    const begin = performance.now();
    await eventually(async () => assert.equal(await isRewriting(redis), false));
    assert.equal((await infoOf(redis)).get("aof_last_bgrewrite_status"), "err");
    await redis.client.config("SET", "rdb-key-save-delay", "0");
    await eventually(async () => assert.ok((await lengthOf(redis)) < long), {
      withinMs: 15_000,
      everyMs: 20,
    });
    const pausedMs = performance.now() - begin;
    assert.ok(pausedMs > 4500, `only ${pausedMs} ms`);
  });

  it("happen one at a time, replicas first, and once each", async () => {
    // A rewrite takes 0.8 s.
    await makeFilesLong(2000);
    for (const redis of servers) watchOver(redis, () => assert.fail("two began at once"));
    const seen: string[] = [];
    await eventually(
      async () => {
        const rewriting = await Promise.all(servers.map(isRewriting));
        const names = rewriting.flatMap((is, i) => (is ? [`${i}`] : [])).join(" and ");
        if (names !== "" && names !== seen.at(-1)) seen.push(names);
        for (const redis of servers) assert.ok((await lengthOf(redis)) < long);
      },
      { withinMs: 30_000, everyMs: 10 },
    );
    assert.deepEqual(seen, ["1", "2", "0"]);
  });

  it("give way to another instance's that began at the same time, and are done after it", async () => {
    await makeFilesLong(0);
    const [, first, second] = servers;
    assert.ok(first && second);
    // So nobody else is due when the second one decides.
    for (const redis of servers.slice(0, 2)) {
      await redis.client.bgrewriteaof();
      await eventually(async () => assert.ok((await lengthOf(redis)) < long));
    }
    for (const redis of servers) await redis.client.config("SET", "rdb-key-save-delay", "5000");
    let ended = 0;
    watchOver(second, () => {
      ended++;
      return endForks(second.pid);
    });
    await eventually(async () => assert.equal(await isRewriting(second), true), { everyMs: 10 });
    await first.client.bgrewriteaof();
    await eventually(async () => assert.equal(ended, 1), { withinMs: 3000 });
    assert.equal(await isRewriting(first), true);
    await eventually(async () => assert.ok((await lengthOf(second)) < long), { withinMs: 10_000 });
    assert.equal(ended, 1);
  });
});
