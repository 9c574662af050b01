import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { preferPods } from "../../../../workshop/cluster/prefer-pods.ts";

describe("preferPods", () => {
  const directory = mkdtempSync(join(tmpdir(), "redis-ha-cgroup-"));
  after(() => rmSync(directory, { recursive: true }));

  it("gives the kubelet's group its share, where there is one, and says when there is none", () => {
    const file = join(directory, "cpu.shares");
    writeFileSync(file, "2048\n");
    assert.equal(
      preferPods([
        [join(directory, "none"), "1"],
        [file, "16384"],
      ]),
      true,
    );
    assert.equal(readFileSync(file, "utf8"), "16384");
    assert.equal(preferPods([[join(directory, "none"), "1"]]), false);
    // As where it may not be written: a folder.
    assert.equal(preferPods([[directory, "1"]]), false);
  });
});
