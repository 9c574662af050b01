import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeVersion, findEngineProgram } from "../../../runtime/engine.ts";
import { temporaryDirectory } from "../../support/redis-process.ts";

describe("findEngineProgram", () => {
  const { path, remove } = temporaryDirectory();
  before(() => {
    for (const name of ["redis-server", "valkey-check-aof"]) {
      writeFileSync(join(path, name), "");
      chmodSync(join(path, name), 0o755);
    }
  });
  after(remove);

  it("takes an engine's own programs and no others, whose files it couldn't read", () => {
    assert.equal(findEngineProgram("redis", "server", path), join(path, "redis-server"));
    assert.equal(findEngineProgram("valkey", "check-aof", path), join(path, "valkey-check-aof"));
    assert.throws(() => findEngineProgram("valkey", "server", path), /valkey-server .*images:engine/);
    assert.throws(() => findEngineProgram("redis", "check-aof", path), /redis-check-aof/);
  });
});

describe("describeVersion", () => {
  it("tells a Valkey's own release, not that of the Redis that it is compatible with", () => {
    assert.equal(describeVersion({ redis_version: "8.2.9" }), "8.2.9");
    const valkey = { redis_version: "7.2.4", server_name: "valkey", valkey_version: "9.1.2" };
    assert.equal(describeVersion(valkey), "Valkey 9.1.2");
    assert.equal(describeVersion({}), "");
  });
});
