import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ControlConnection } from "../../quorum/control-connection.ts";
import { findProgram } from "../../runtime/find-program.ts";
import { createLog } from "../../runtime/log.ts";
import { plain } from "../../sentinel-image/backup/cipher.ts";
import type { Manifest } from "../../sentinel-image/backup/manifest.ts";
import { openStore } from "../../sentinel-image/backup/open-store.ts";
import { restoreBackup } from "../../sentinel-image/backup/restore-backup.ts";
import { takeBackup } from "../../sentinel-image/backup/take-backup.ts";
import { verifyBackup } from "../../sentinel-image/backup/verify-backup.ts";
import { type RestoreAtStartOptions, restoreAtStart } from "../../sentinel-image/start/restore-at-start.ts";
import { eventually } from "../support/eventually.ts";
import { freePort, RedisProcess, temporaryDirectory } from "../support/redis-process.ts";

describe("a backup of a replica", function () {
  this.timeout(60_000);
  const directory = temporaryDirectory();
  const stored = join(directory.path, "store");
  const store = openStore(`file://${stored}`);
  const program = findProgram("redis-server", process.env.PATH);
  const signal = new AbortController().signal;
  let master: RedisProcess;
  let replica: RedisProcess;
  let server: ControlConnection;

  before(async () => {
    mkdirSync(stored);
    const common = [
      "repl-diskless-sync yes",
      "repl-diskless-sync-delay 0",
      "rdbcompression no",
      'save ""',
      `dir ${directory.path}`,
    ];
    const ports = [await freePort(), await freePort()];
    master = await RedisProcess.start(ports[0] ?? 0, common.flatMap(words).concat("--port", `${ports[0]}`));
    replica = await RedisProcess.start(
      ports[1] ?? 0,
      common.flatMap(words).concat("--port", `${ports[1]}`, "--replicaof", "127.0.0.1", `${ports[0]}`),
    );
    server = new ControlConnection({ address: { host: "127.0.0.1", port: replica.port }, timeoutMs: 2000 });
    // 40 MB: more than the kernel keeps of a connection, so that a copy which is read slowly isn't sent as a whole.
    const fill = "for i = 1, 20000 do redis.call('SET', 'key:' .. i, string.rep('x', 2000) .. i * i) end";
    await master.client.eval(fill, 0);
    await master.client.set("__ha:heartbeat", "3:1700000000000");
    await master.client.select(3);
    await master.client.set("elsewhere", "1");
    await eventually(async () => assert.equal(await replica.client.exists("__ha:heartbeat"), 1));
  });

  after(async () => {
    server.close();
    await Promise.all([master.kill(), replica.kill()]);
    directory.remove();
  });

  const take = (more: Partial<Parameters<typeof takeBackup>[0]> = {}): Promise<Manifest> =>
    takeBackup({
      store,
      cipher: plain,
      instance: "redis-instance-2",
      server,
      source: {
        address: server.address,
        login: { username: undefined, tls: undefined, password: () => undefined },
      },
      bytesPerSecond: 2 ** 30,
      signal,
      ...more,
    });
  const verify = (manifest: Manifest) => verifyBackup({ store, manifest, cipher: plain, program, signal });

  it("holds its data, and tells from when they are", async () => {
    const manifest = await take();
    assert.deepEqual(manifest.keys, { 0: 20_001, 3: 1 });
    assert.deepEqual(manifest.heartbeat, { epoch: 3, ms: 1_700_000_000_000 });
    assert.equal(manifest.server.name, "redis");
    assert.match(manifest.replication.id, /^[0-9a-f]{40}$/);
    const { ok, detail } = await verify(manifest);
    assert.equal(detail, "loaded: 20002 keys");
    assert.equal(ok, true);
  });

  it("is no backup when the server breaks off, and the next one works", async () => {
    const begun = Promise.withResolvers<void>();
    for await (const { key } of store.list("")) await store.remove(key);
    const before = await take();
    const taken = take({ bytesPerSecond: 2 ** 22, onProgress: () => begun.resolve() });
    taken.catch(() => undefined);
    await begun.promise;
    // What a promotion does to it.
    await replica.client.call("CLIENT", "KILL", "TYPE", "replica");
    await assert.rejects(taken, /the connection ended too early/);
    const left: string[] = [];
    for await (const { key } of store.list("")) if (!key.includes("manifest")) left.push(key);
    assert.deepEqual(left, [before.pieces[0]?.key], "of the one before");
    assert.equal((await verify(before)).ok, true);
    assert.equal((await verify(await take())).ok, true);
  });

  it("never has the name of an earlier one", async () => {
    const manifests = [await take(), await take(), await take()];
    assert.equal(new Set(manifests.map(({ id }) => id)).size, 3);
    const now = Date.now;
    Date.now = () => manifests[0]?.createdMs ?? 0;
    try {
      await assert.rejects(take(), /is there already: this instance's clock was set back/);
    } finally {
      Date.now = now;
    }
    for (const manifest of manifests) assert.equal((await verify(manifest)).ok, true);
  });

  it("is refused by a master", async () => {
    const leading = new ControlConnection({ address: { host: "127.0.0.1", port: master.port } });
    const login = { username: undefined, tls: undefined, password: () => undefined };
    await assert.rejects(
      take({ server: leading, source: { address: leading.address, login } }),
      /it leads: a backup is taken from a replica/,
    );
    leading.close();
  });

  it("that was damaged is found", async () => {
    const manifest = await take();
    const file = join(stored, manifest.pieces[0]?.key ?? "");
    const whole = readFileSync(file);
    const changed = Buffer.from(whole);
    changed[whole.length >> 1] = (changed[whole.length >> 1] ?? 0) ^ 1;
    writeFileSync(file, changed);
    assert.match((await verify(manifest)).detail, /is damaged, its SHA-256|hung up/);
    writeFileSync(file, whole.subarray(0, whole.length - 100));
    assert.match((await verify(manifest)).detail, /bytes instead of|hung up/);
    writeFileSync(file, whole);
    assert.equal((await verify(manifest)).ok, true);
  });

  it("with other data than its manifest says is no good", async () => {
    const manifest = await take();
    const told = async (changes: Partial<Manifest>): Promise<string> =>
      (await verify({ ...manifest, ...changes })).detail;
    assert.match(
      await told({ keys: { 0: 20_000, 3: 1 } }),
      /database 0 has 20001 keys, and its instance had 20000/,
    );
    assert.match(await told({ keys: { 0: 20_001 } }), /database 3 has 1 keys, and its instance had 0/);
    assert.match(
      await told({ heartbeat: { epoch: 4, ms: 1 } }),
      /heartbeat is 3:1700000000000, older than 4:1/,
    );
  });

  describe("restored", () => {
    const log = createLog("test", "silent");
    const fresh = (name: string): string => {
      const path = join(directory.path, name);
      mkdirSync(join(path, "ha"), { recursive: true });
      return path;
    };
    const restore = (manifest: Manifest, dataDirectory: string): Promise<void> =>
      restoreBackup({ store, manifest, cipher: plain, dataDirectory, program, signal });

    it("is what a server finds at its start", async () => {
      const path = fresh("restored");
      await restore(await take(), path);
      const port = await freePort();
      const args = ["--port", String(port), "--dir", path, "--appendonly", "yes", "--save", ""];
      const server = await RedisProcess.start(port, args);
      try {
        await eventually(async () => assert.equal(await server.client.dbsize(), 20_001));
        assert.match((await server.client.get("key:7")) ?? "", /^x{2000}49$/);
      } finally {
        await server.kill();
      }
    });

    it("isn't where there are data, nor by an older server, nor a part of it when it is damaged", async () => {
      const manifest = await take();
      const path = fresh("refused");
      const newer = { ...manifest, server: { name: "redis", version: "99.1.0" } };
      await assert.rejects(restore(newer, path), /made by redis 99\.1\.0, and this is redis/);
      const piece = { key: "", bytes: 0, sha256: "", ...manifest.pieces[0] };
      const wrong = { ...manifest, pieces: [{ ...piece, sha256: "0".repeat(64) }] };
      await assert.rejects(restore(wrong, path), /is damaged, its SHA-256/);
      assert.deepEqual(readdirSync(path), ["ha"]);
      await restore(manifest, path);
      await assert.rejects(
        restore(manifest, path),
        /has data: a backup is only restored where there are none/,
      );
    });

    it("is so at the start of the one that leads, once, and of no other", async () => {
      const { id } = await take();
      const given = {
        schedule: undefined,
        retention: { count: 1, days: 0 },
        bytesPerSecond: 1,
        open: () => ({ store, cipher: plain }),
      };
      const lead = { kind: "lead", reason: "" } as const;
      const at = (path: string, more: Partial<RestoreAtStartOptions> = {}): Promise<boolean> =>
        restoreAtStart({
          plan: { ...given, restoreFrom: id },
          role: lead,
          dataDirectory: path,
          directory: join(path, "ha"),
          initialised: false,
          program,
          onWaiting: () => undefined,
          log,
          signal,
          ...more,
        });
      const path = fresh("begins");
      assert.equal(await at(path, { plan: { ...given, restoreFrom: undefined } }), false);
      assert.equal(await at(path, { role: { kind: "follow", master: { host: "other", port: 1 } } }), false);
      assert.equal(await at(path, { initialised: true }), false);
      assert.equal(await at(path), true);
      assert.equal(await at(path), false);
      // All data were deleted, on purpose: they don't come back.
      rmSync(join(path, "appendonlydir"), { recursive: true });
      assert.equal(await at(path), false);
    });

    it("is waited for when it can't be had, with the reason", async () => {
      const end = new AbortController();
      const told: string[] = [];
      const path = fresh("waits");
      const restoring = restoreAtStart({
        plan: {
          ...{ schedule: undefined, retention: { count: 1, days: 0 }, bytesPerSecond: 1 },
          restoreFrom: "20260101T000000Z-nobody",
          open: () => ({ store, cipher: plain }),
        },
        role: { kind: "lead", reason: "" },
        dataDirectory: path,
        directory: join(path, "ha"),
        initialised: false,
        program,
        onWaiting: (why) => {
          told.push(why);
          end.abort();
        },
        log,
        signal: end.signal,
      });
      await assert.rejects(restoring);
      assert.match(told[0] ?? "", /which can't be restored: There is no backup 20260101T000000Z-nobody/);
      assert.deepEqual(readdirSync(path), ["ha"]);
    });
  });

  it("waits for its store: what is read of the server is bounded", async () => {
    let passed = 0;
    await assert.rejects(
      take({
        store: {
          get: (key) => store.get(key),
          list: (prefix) => store.list(prefix),
          put: async (_key, body) => {
            for await (const part of body) {
              passed += part.byteLength;
              await delay(300);
              throw new Error("the store is full");
            }
            return { bytes: passed };
          },
          remove: async () => undefined,
        },
      }),
      /the store is full/,
    );
    assert.ok(passed < 2 ** 18, `${passed} bytes`);
  });
});

function words(directive: string): string[] {
  const [name = "", ...values] = directive.split(" ");
  return [`--${name}`, ...values.map((value) => (value === '""' ? "" : value))];
}
