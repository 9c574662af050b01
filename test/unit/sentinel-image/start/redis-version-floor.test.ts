import assert from "node:assert/strict";
import { logOldVersion, warnOfVersion } from "../../../../sentinel-image/start/redis-version-floor.ts";
import { eventually } from "../../../support/eventually.ts";

function answerOf(version: string): string {
  return `Redis server v=${version} sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=ae4d7c971a948f0\n`;
}

describe("warnOfVersion", () => {
  const good = [
    "8.10.1",
    "8.10.2",
    "8.8.2",
    "8.6.6",
    "8.4.6",
    "8.2.9",
    "8.2.10",
    "7.4.11",
    "8.11.0",
    "9.0.0",
  ];
  for (const version of good) {
    it(`has nothing to say about ${version}`, () => {
      assert.equal(warnOfVersion(answerOf(version)), undefined);
    });
  }

  const old = [
    ...["8.10.0", "8.8.1", "8.6.5", "8.4.5", "8.2.8", "7.4.10"],
    // Series that get no fixes any more, whatever their patch.
    ...["8.0.6", "8.9.99", "8.1.0", "7.2.14", "7.0.15", "6.2.22", "7.5.0"],
  ];
  for (const version of old) {
    it(`warns of ${version}, and says which to take`, () => {
      const warning = warnOfVersion(answerOf(version)) ?? "";
      assert.ok(warning.startsWith(`redis-server ${version} has known vulnerabilities`), warning);
      assert.match(warning, /use 8\.10\.1, 8\.8\.2, 8\.6\.6, 8\.4\.6, 8\.2\.9, 7\.4\.11 or a later patch/);
      assert.match(warning, /images:redisBase/);
    });
  }

  it("judges Valkey by its own releases", () => {
    const valkey = (version: string): string | undefined =>
      warnOfVersion(`Valkey server v=${version} sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=4b1f0c9e`);
    for (const version of ["9.1.2", "9.1.3", "9.0.6", "8.1.10", "8.0.11", "9.2.0", "10.0.0"])
      assert.equal(valkey(version), undefined, version);
    for (const version of ["9.1.1", "9.0.5", "8.1.9", "8.1.1", "8.0.10", "8.2.0"]) {
      const warning = valkey(version) ?? "";
      assert.ok(warning.startsWith(`valkey-server ${version} has known vulnerabilities`), warning);
      assert.match(warning, /use 9\.1\.2, 9\.0\.6, 8\.1\.10, 8\.0\.11 or a later patch/);
    }
  });

  it("doesn't judge servers whose versions mean something else", () => {
    assert.equal(warnOfVersion("Valkey server v=7.2.1 sha=00000000:0"), undefined);
    assert.equal(warnOfVersion("KeyDB server v=6.3.4 sha=00000000:0"), undefined);
    assert.equal(warnOfVersion(""), undefined);
  });
});

describe("logOldVersion", () => {
  it("asks the very program that is about to be started", async () => {
    const warnings: string[] = [];
    logOldVersion(new URL("../../../support/old-redis-server.sh", import.meta.url).pathname, {
      warn: (text) => warnings.push(text),
    });
    await eventually(async () => assert.match(warnings.join("\n"), /^redis-server 7\.0\.15 has known/), {
      withinMs: 5000,
    });
  });
});
