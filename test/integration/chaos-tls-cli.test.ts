import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { execa } from "execa";

const program = fileURLToPath(new URL("../../cli/redis-ha.js", import.meta.url));

describe("redis-ha chaos with TLS", () => {
  it("says that a local topology is checked without TLS, before anything is started", async () => {
    const { exitCode, stderr, stdout } = await execa(
      process.execPath,
      [program, "chaos", "--set", "tls:mode=all"],
      { reject: false },
    );
    assert.equal(exitCode, 1);
    assert.match(stderr, /--set tls:mode=all can't be used on a local topology, only "off"/);
    assert.equal(stdout, "");
  });
});
