import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import {
  applyRetention,
  deleteBackup,
  findBackup,
  readCatalog,
} from "../../../../sentinel-image/backup/backup-catalog.ts";
import { DirectoryStore } from "../../../../sentinel-image/backup/directory-store.ts";
import {
  backupId,
  folderOf,
  type Manifest,
  manifestKey,
  writeManifest,
} from "../../../../sentinel-image/backup/manifest.ts";
import type { ObjectStore } from "../../../../sentinel-image/backup/object-store.ts";
import { StoreError } from "../../../../sentinel-image/backup/store-error.ts";
import { temporaryDirectory } from "../../../support/redis-process.ts";
import { body, keysOf } from "../../../support/store-contents.ts";

const day = 24 * 3600_000;
const now = Date.UTC(2026, 10, 30);

describe("the catalog of backups", function () {
  // Each object is synced to the disk.
  this.timeout(60_000);
  const directory = temporaryDirectory();
  after(() => directory.remove());
  let root: string;
  let store: DirectoryStore;
  let run = 0;

  beforeEach(() => {
    root = join(directory.path, `run-${run++}`);
    mkdirSync(root);
    store = new DirectoryStore(root);
  });

  /** Stores a backup of this age. */
  async function add(ageDays: number, verified?: boolean): Promise<Manifest> {
    const createdMs = now - ageDays * day;
    const id = backupId(createdMs, "redis-1");
    const key = `${folderOf(id)}/dump.rdb`;
    await store.put(key, body("data"));
    const manifest: Manifest = {
      formatVersion: 1,
      id,
      kind: "full",
      createdMs,
      instance: "redis-1",
      server: { name: "redis", version: "8.2.9" },
      replication: { id: "a", offset: 1 },
      keys: {},
      pieces: [{ key, bytes: 4, sha256: createHash("sha256").update("data").digest("hex") }],
      increments: [],
      encryption: "none",
      ...(verified !== undefined && { verified: { ms: now, ok: verified, detail: "" } }),
    };
    await writeManifest(store, manifest);
    return manifest;
  }

  it("of an empty destination is empty", async () => {
    const catalog = await readCatalog(store);
    assert.deepEqual(catalog, { backups: [], unreadable: [], orphans: [] });
    assert.throws(() => findBackup(catalog, "latest"), /There is no good backup: the destination holds none/);
  });

  it("lists the newest first, and finds by id, the latest good one and the one for a time", async () => {
    const [old, middle] = [await add(3, true), await add(2)];
    const [failed, short] = [await add(1, false), await add(0.5)];
    await store.put(short.pieces[0]?.key ?? "", body("dat"));
    const catalog = await readCatalog(store);
    assert.deepEqual(
      catalog.backups.map(({ manifest, lacking, bytes }) => [manifest.id, lacking.length, bytes]),
      [short, failed, middle, old].map(({ id }) => [id, id === short.id ? 1 : 0, 4]),
    );
    assert.equal(findBackup(catalog, "latest").manifest.id, middle.id);
    assert.equal(findBackup(catalog, failed.id).manifest.id, failed.id);
    assert.equal(findBackup(catalog, { atMs: now }).manifest.id, middle.id);
    assert.equal(findBackup(catalog, { atMs: middle.createdMs }).manifest.id, middle.id);
    assert.equal(findBackup(catalog, { atMs: middle.createdMs - 1 }).manifest.id, old.id);
    assert.throws(
      () => findBackup(catalog, { atMs: 0 }),
      /no good backup of 1970-01-01T00:00:00.000Z or before: the destination holds 4/,
    );
    assert.throws(
      () => findBackup(catalog, "nothing"),
      /There is no backup nothing: the destination holds 4/,
    );
  });

  it("knows no backup without a manifest, and names one whose manifest is damaged", async () => {
    const [whole, broken] = [await add(1), await add(2)];
    await store.put("backups/unfinished/dump.rdb", body("data"));
    await store.put(manifestKey(broken.id), body("{"));
    const catalog = await readCatalog(store);
    assert.deepEqual(
      catalog.backups.map(({ manifest }) => manifest.id),
      [whole.id],
    );
    assert.deepEqual(
      catalog.unreadable.map(({ id }) => id),
      [broken.id],
    );
    assert.deepEqual(
      catalog.orphans.map(({ key }) => key),
      ["backups/unfinished/dump.rdb"],
    );
    assert.throws(() => findBackup(catalog, broken.id), /manifest of backup .* is damaged/);
  });

  it("deletes the manifest first: an interruption at any object leaves no half backup", async () => {
    const [kept, gone] = [await add(1), await add(2)];
    const asked: string[] = [];
    const failing: ObjectStore = {
      put: (key, data) => store.put(key, data),
      get: (key) => store.get(key),
      list: (prefix) => store.list(prefix),
      remove: async (key) => {
        asked.push(key);
        if (asked.length > 1) throw new StoreError("unreachable", "gone");
        await store.remove(key);
      },
    };
    await assert.rejects(deleteBackup(failing, gone), /gone/);
    assert.equal(asked[0], manifestKey(gone.id));
    assert.deepEqual(
      (await readCatalog(store)).backups.map(({ manifest }) => manifest.id),
      [kept.id],
    );
    await deleteBackup(store, gone);
    assert.deepEqual((await keysOf(store, folderOf(gone.id))).toSorted(), []);
  });

  it("keeps to the retention, and leaves alone what it can't read and what is being made", async () => {
    const backups = [await add(1, true), await add(2, true), await add(30, true), await add(31)];
    await store.put(manifestKey(backups[3]?.id ?? ""), body('{"formatVersion":7}'));
    await store.put("backups/new/dump.rdb", body("data"));
    await store.put("backups/old/dump.rdb", body("data"));
    const old = (now - 2 * day) / 1000;
    utimesSync(join(root, "backups/old/dump.rdb"), old, old);
    const young = (now - 0.5 * day) / 1000;
    utimesSync(join(root, "backups/new/dump.rdb"), young, young);
    const done = await applyRetention(store, { count: 1, days: 7 }, now);
    assert.deepEqual(done, { removed: [backups[2]?.id], orphans: 1 });
    const left = await readCatalog(store);
    assert.deepEqual(
      left.backups.map(({ manifest }) => manifest.id),
      [backups[0]?.id, backups[1]?.id],
    );
    assert.equal(left.unreadable.length, 1);
    assert.deepEqual(
      left.orphans.map(({ key }) => key),
      ["backups/new/dump.rdb"],
    );
  });

  it("fails when the store fails, instead of showing less than there is", async () => {
    await add(1);
    const failing: ObjectStore = {
      put: (key, data) => store.put(key, data),
      list: (prefix) => store.list(prefix),
      remove: (key) => store.remove(key),
      async *get() {
        yield Buffer.from("{");
        throw new StoreError("unreachable", "cut off");
      },
    };
    await assert.rejects(readCatalog(failing), /cut off/);
  });
});
