import assert from "node:assert/strict";
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { ObjectStore } from "../../../../sentinel-image/backup/object-store.ts";
import { openStore } from "../../../../sentinel-image/backup/open-store.ts";
import { StoreError } from "../../../../sentinel-image/backup/store-error.ts";
import { temporaryDirectory } from "../../../support/redis-process.ts";
import { body, keysOf, textOf } from "../../../support/store-contents.ts";

describe("a directory of backups", () => {
  const directory = temporaryDirectory();
  after(() => directory.remove());
  let root: string;
  let store: ObjectStore;
  let run = 0;

  beforeEach(() => {
    root = join(directory.path, `run-${run++}`);
    mkdirSync(root);
    store = openStore(pathToFileURL(root).href);
  });

  function everyFile(): string[] {
    return readdirSync(root, { recursive: true, encoding: "utf8" }).toSorted();
  }

  it("gives back what was put, whole, and replaces it", async () => {
    assert.deepEqual(await store.put("backups/a/data", body("one", "two")), { bytes: 6 });
    assert.equal(await textOf(store.get("backups/a/data")), "onetwo");
    await store.put("backups/a/data", body("three"));
    assert.equal(await textOf(store.get("backups/a/data")), "three");
  });

  it("lists by whole keys in the order of their bytes, as a bucket does, with sizes and times", async () => {
    const before = Date.now() - 2000;
    for (const key of ["a/b", "a-b", "a/c/d", "b", "a0"]) await store.put(key, body(key));
    assert.deepEqual(await keysOf(store, ""), ["a-b", "a/b", "a/c/d", "a0", "b"]);
    assert.deepEqual(await keysOf(store, "a/"), ["a/b", "a/c/d"]);
    assert.deepEqual(await keysOf(store, "a"), ["a-b", "a/b", "a/c/d", "a0"]);
    assert.deepEqual(await keysOf(store, "nothing/"), []);
    for await (const { key, bytes, modifiedMs } of store.list("a/c/")) {
      assert.equal(bytes, key.length);
      assert.ok(modifiedMs >= before && modifiedMs <= Date.now() + 2000);
    }
  });

  it("keeps what was there, and nothing else, when the body fails: its error is passed on as it is", async () => {
    await store.put("a/data", body("good"));
    const failure = Object.assign(new Error("the source is gone"), { code: "ENOENT" });
    async function* failing(): AsyncIterable<Uint8Array> {
      yield Buffer.from("half");
      throw failure;
    }
    await assert.rejects(store.put("a/data", failing()), (error) => error === failure);
    await assert.rejects(store.put("a/new", failing()), (error) => error === failure);
    assert.equal(await textOf(store.get("a/data")), "good");
    assert.deepEqual(everyFile(), ["a", "a/data"]);
  });

  it("leaves nothing of an aborted put", async () => {
    const aborting = new AbortController();
    async function* endless(): AsyncIterable<Uint8Array> {
      for (let i = 0; ; i++) {
        if (i === 3) aborting.abort(new Error("enough"));
        yield Buffer.alloc(1000);
      }
    }
    await assert.rejects(store.put("a/data", endless(), { signal: aborting.signal }), /^Error: enough$/);
    assert.deepEqual(await keysOf(store, ""), []);
    assert.deepEqual(
      everyFile().filter((file) => file.includes("data")),
      [],
    );
  });

  it("doesn't list what a killed process left, and removes it once it is old", async () => {
    await store.put("a/data", body("good"));
    const left = join(root, "a", ".data.0123456789abcdef.unfinished");
    writeFileSync(left, "half");
    writeFileSync(join(root, "a", ".somebody-elses"), "");
    assert.deepEqual(await keysOf(store, ""), ["a/data"]);
    assert.equal(await store.removeUnfinished?.(60_000), 0);
    const old = Date.now() / 1000 - 120;
    utimesSync(left, old, old);
    assert.equal(await store.removeUnfinished?.(60_000), 1);
    assert.deepEqual(everyFile(), ["a", "a/.somebody-elses", "a/data"]);
  });

  it("removes an object with the directories that it leaves empty; one that isn't there is no error", async () => {
    await store.put("a/b/c", body("x"));
    await store.put("a/d", body("y"));
    await store.remove("a/b/c");
    await store.remove("a/b/c");
    assert.deepEqual(everyFile(), ["a", "a/d"]);
  });

  it("says in one sentence what is wrong", async () => {
    await rejectsAs(textOf(store.get("a/data")), "no-object", /a\/data isn't there/);
    const gone = openStore("file:///nowhere/backups");
    await rejectsAs(gone.put("a", body("x")), "no-destination", /\/nowhere\/backups .* mount the volume/);
    await rejectsAs(keysOf(gone, ""), "no-destination", /\/nowhere\/backups/);
    await rejectsAs(textOf(gone.get("a")), "no-destination", /\/nowhere\/backups/);
  });

  it("takes no key that leads out of it or hides", async () => {
    for (const key of ["", "/a", "a/", "a//b", "..", "a/../b", ".a", "a/.b", "a b", "ä", "x".repeat(513)])
      await assert.rejects(store.put(key, body("x")), /is no key of a backup's object/, key);
    assert.deepEqual(everyFile(), []);
  });
});

describe("a destination of backups", () => {
  for (const wrong of [
    "",
    "backups",
    "/backups",
    "file:///",
    "file://host/a",
    "ftp://a/b",
    "s3://",
    "s3:///a",
    "s3://a/../b",
  ])
    it(`isn't '${wrong}'`, () => {
      assert.throws(
        () => openStore(wrong, { accessKeyId: "a", secretAccessKey: "b" }),
        /use s3:\/\/bucket\/prefix or file:\/\/\/path/,
      );
    });
});

async function rejectsAs(promise: Promise<unknown>, fault: string, pattern: RegExp): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof StoreError, String(error));
    assert.equal(error.fault, fault);
    assert.match(error.message, pattern);
    return true;
  });
}
