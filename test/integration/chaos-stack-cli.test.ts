import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { execa } from "execa";

const program = fileURLToPath(new URL("../../cli/redis-ha.js", import.meta.url));

describe("redis-ha chaos --stack", () => {
  const chaos = (...args: string[]) =>
    execa(process.execPath, [program, "chaos", "--stack", "dev", ...args], { reject: false });

  it("names an unknown fault and what is allowed, before anything is touched", async () => {
    const { exitCode, stderr, stdout } = await chaos("--fault", "freeze");
    assert.equal(exitCode, 1);
    assert.match(stderr, /There is no fault with --stack 'freeze': use some of pod-deleted, pod-killed, /);
    assert.equal(stdout, "");
  });

  it("refuses options that mean nothing to a deployed stack", async () => {
    const { exitCode, stderr } = await chaos("--set", "redis:instances=5", "--durability", "sync");
    assert.equal(exitCode, 1);
    assert.match(stderr, /--set and --durability can't be used with --stack/);
  });
});
