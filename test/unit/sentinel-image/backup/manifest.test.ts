import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DirectoryStore } from "../../../../sentinel-image/backup/directory-store.ts";
import {
  backupId,
  findLacking,
  idOfManifest,
  type Manifest,
  manifestKey,
  parseManifest,
  readManifest,
  readPiece,
  writeManifest,
} from "../../../../sentinel-image/backup/manifest.ts";
import { temporaryDirectory } from "../../../support/redis-process.ts";
import { body, textOf } from "../../../support/store-contents.ts";

const id = "20261130T222046123Z-redis-instance-2";
const dataKey = `backups/${id}/data.rdb`;
const incrementKey = `backups/${id}/increment-1.aof`;
const manifest: Manifest = {
  formatVersion: 1,
  id,
  kind: "full",
  createdMs: Date.UTC(2026, 10, 30, 22, 20, 46),
  instance: "redis-instance-2",
  server: { name: "redis", version: "8.2.9" },
  replication: { id: "a".repeat(40), offset: 12345 },
  heartbeat: { epoch: 3, ms: 1000 },
  keys: { "0": 10, "3": 1 },
  pieces: [{ key: dataKey, bytes: 5, sha256: sha256("data!") }],
  increments: [{ key: incrementKey, bytes: 3, sha256: sha256("set"), fromMs: 1, toMs: 2 }],
  encryption: "none",
};

describe("a backup's manifest", () => {
  const directory = temporaryDirectory();
  after(() => directory.remove());
  let store: DirectoryStore;
  let run = 0;

  beforeEach(async () => {
    const root = join(directory.path, `run-${run++}`);
    mkdirSync(root);
    store = new DirectoryStore(root);
    await store.put(dataKey, body("data!"));
    await store.put(incrementKey, body("set"));
  });

  it("is read as it was written, before and after its verification", async () => {
    await writeManifest(store, manifest);
    assert.deepEqual(await readManifest(store, id), manifest);
    const verified = { ...manifest, verified: { ms: 5, ok: false, detail: "key count 9 instead of 11" } };
    await writeManifest(store, verified);
    assert.deepEqual(await readManifest(store, id), verified);
  });

  it("isn't written when it says something that no reader would take", async () => {
    await assert.rejects(writeManifest(store, { ...manifest, pieces: [] }));
    await assert.rejects(readManifest(store, id), /isn't there/);
  });

  it("has a key and an id that name one another, and ids that sort by time", () => {
    assert.equal(backupId(manifest.createdMs + 123, "redis-instance-2"), id);
    assert.equal(idOfManifest(manifestKey(id)), id);
    assert.equal(idOfManifest(dataKey), undefined);
    assert.equal(backupId(0, "127.0.0.1:6390"), "19700101T000000000Z-127-0-0-1-6390");
    assert.ok(backupId(1_000_000_000, "z") < backupId(1_000_001_000, "a"));
  });

  const text = JSON.stringify(manifest);
  for (const [what, damaged, sentence] of [
    ["nothing", "", /is damaged: it is no JSON/],
    ["half of it", text.slice(0, 100), /is damaged: it is no JSON/],
    ["null", "null", /is damaged/],
    [
      "a format of tomorrow",
      text.replace('"formatVersion":1', '"formatVersion":2'),
      /has the format 2, this program knows 1/,
    ],
    ["no format", text.replace('"formatVersion":1,', ""), /is damaged: formatVersion/],
    ["a size that is none", text.replace('"bytes":5', '"bytes":-5'), /is damaged: pieces\.0\.bytes/],
    ["a word that nobody knows", text.replace('"kind"', '"secret":1,"kind"'), /is damaged.*secret/],
    ["another backup's", text.replaceAll(id, "other"), /is that of other/],
  ] as const)
    it(`that holds ${what} is refused by name`, () => {
      assert.throws(
        () => parseManifest(damaged, id),
        (error: Error) => {
          assert.match(error.message, sentence);
          assert.match(error.message, new RegExp(id));
          assert.doesNotMatch(error.message, /\n/);
          return true;
        },
      );
    });

  it("finds what is missing and what is short by the list alone", async () => {
    assert.deepEqual(await findLacking(store, manifest), []);
    await store.put(dataKey, body("data"));
    await store.remove(incrementKey);
    assert.deepEqual(await findLacking(store, manifest), [
      `${dataKey} has 4 bytes instead of 5`,
      `${incrementKey} is missing`,
    ]);
  });

  it("finds a piece that is short, long or another one when it is read to its end", async () => {
    const [piece] = manifest.pieces;
    assert.ok(piece);
    assert.equal(await textOf(readPiece(store, piece)), "data!");
    await store.put(dataKey, body("dat"));
    await assert.rejects(textOf(readPiece(store, piece)), /data\.rdb has 3 bytes instead of 5/);
    await store.put(dataKey, body("dataaa"));
    await assert.rejects(textOf(readPiece(store, piece)), /data\.rdb has 6 bytes instead of 5/);
    await store.put(dataKey, body("data?"));
    await assert.rejects(textOf(readPiece(store, piece)), /data\.rdb is damaged, its SHA-256/);
  });
});

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
