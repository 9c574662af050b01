import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isModule } from "../../../../runtime/module-list.ts";
import { findModules } from "../../../../sentinel-image/start/find-modules.ts";
import { temporaryDirectory } from "../../../support/redis-process.ts";

describe("findModules", () => {
  const { path, remove } = temporaryDirectory();
  before(() => {
    for (const name of ["redisearch.so", "rejson.so", "README"]) writeFileSync(join(path, name), "");
  });
  after(remove);

  it("finds those of the image, in an order that is the same for all instances, and each once", () => {
    const bundled = ["redisearch.so", "rejson.so"].map((name) => join(path, name));
    assert.deepEqual(findModules(["bundled"], "redis", path), bundled);
    assert.deepEqual(findModules(["/mnt/own.so", "bundled", bundled[0] ?? ""], "redis", path), [
      "/mnt/own.so",
      ...bundled,
    ]);
    assert.deepEqual(findModules([], "redis", path), []);
  });

  it("doesn't start without modules that were asked for", () => {
    assert.throws(() => findModules(["bundled"], "redis", "/nowhere"), /\/nowhere has none/);
  });

  it("takes no path that could be another directive", () => {
    for (const good of ["bundled", "/usr/lib/valkey/libjson.so"]) assert.ok(isModule(good), good);
    for (const bad of ["rejson.so", "/a b.so", '/a".so', "/a.so\nport 1", "/a.txt", "/*.so", ""])
      assert.ok(!isModule(bad), bad);
  });
});
