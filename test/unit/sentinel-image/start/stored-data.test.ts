import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hasStoredData } from "../../../../sentinel-image/start/stored-data.ts";
import { eventually } from "../../../support/eventually.ts";
import { freePort, RedisProcess, temporaryDirectory } from "../../../support/redis-process.ts";

describe("hasStoredData", () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  beforeEach(() => {
    directory = temporaryDirectory();
  });
  afterEach(() => directory.remove());

  /** Runs a real Redis on the directory, as the product does, and gives what it leaves behind. */
  async function run(
    options: readonly string[],
    work: (redis: RedisProcess) => Promise<unknown> = async () => undefined,
  ): Promise<boolean> {
    const port = await freePort();
    const redis = await RedisProcess.start(port, [
      "--port",
      String(port),
      "--dir",
      directory.path,
      ...options,
    ]);
    try {
      await work(redis);
    } finally {
      await redis.stop();
    }
    return hasStoredData(directory.path);
  }

  const appendOnly = ["--appendonly", "yes", "--save", ""];
  const snapshots = ["--appendonly", "no", "--save", "900 1"];

  /** Rewrites the append-only file, so that everything is in its base. */
  async function rewrite({ client }: RedisProcess): Promise<void> {
    const bases = (): string[] =>
      readdirSync(join(directory.path, "appendonlydir")).filter((file) => file.endsWith(".base.rdb"));
    const [before] = bases();
    await client.bgrewriteaof();
    await eventually(() => {
      const now = bases();
      assert.ok(now.length === 1 && now[0] !== before, now.join(", "));
    });
  }

  it("says no for a volume that nobody used", () => {
    assert.equal(hasStoredData(directory.path), false);
    assert.equal(hasStoredData(join(directory.path, "missing")), false);
  });

  it("says no for the files of a server that never had a key", async () => {
    assert.equal(await run(appendOnly), false);
    assert.ok(existsSync(join(directory.path, "appendonlydir", "appendonly.aof.manifest")));
  });

  it("says yes for one key in the append-only file", async () => {
    assert.equal(await run(appendOnly, ({ client }) => client.set("k", "v")), true);
  });

  it("says yes for one small key in the base of a rewritten append-only file", async () => {
    const found = await run(appendOnly, async (redis) => {
      await redis.client.set("k", "v");
      await rewrite(redis);
    });
    assert.equal(found, true);
    const [increment = ""] = readdirSync(join(directory.path, "appendonlydir")).filter((file) =>
      file.endsWith(".incr.aof"),
    );
    assert.equal(statSync(join(directory.path, "appendonlydir", increment)).size, 0);
  });

  it("says no for a rewritten append-only file without a key", async () => {
    assert.equal(await run(appendOnly, rewrite), false);
  });

  it("says yes for one small key in a snapshot", async () => {
    assert.equal(await run(snapshots, ({ client }) => client.set("k", "v")), true);
    assert.ok(statSync(join(directory.path, "dump.rdb")).size < 128);
  });

  it("says no for a snapshot without a key", async () => {
    assert.equal(await run(snapshots, ({ client }) => client.save()), false);
    assert.ok(existsSync(join(directory.path, "dump.rdb")));
  });

  it("says yes for functions without any key", async () => {
    const library = "#!lua name=lib\nredis.register_function('f', function() return 1 end)";
    assert.equal(await run(snapshots, ({ client }) => client.call("FUNCTION", "LOAD", library)), true);
  });

  for (const [name, content] of [
    ["a file that is no snapshot", Buffer.from("not an RDB file, but perhaps somebody's data")],
    ["a snapshot that ends early", Buffer.from("REDIS0011\xfa\x09redis-", "latin1")],
  ] as const) {
    it(`says yes for ${name}: whoever isn't sure doesn't call it empty`, () => {
      writeFileSync(join(directory.path, "dump.rdb"), content);
      assert.equal(hasStoredData(directory.path), true);
    });
  }

  it("says no for files of length 0, which a full disk leaves behind", () => {
    mkdirSync(join(directory.path, "appendonlydir"));
    writeFileSync(join(directory.path, "appendonlydir", "appendonly.aof.1.incr.aof"), "");
    writeFileSync(join(directory.path, "dump.rdb"), "");
    assert.equal(hasStoredData(directory.path), false);
  });
});
