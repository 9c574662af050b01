import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { readMemoryUse } from "../../../../sentinel-image/supervise/pod-memory.ts";
import { temporaryDirectory } from "../../../support/redis-process.ts";

describe("readMemoryUse", () => {
  const directory = temporaryDirectory();
  after(directory.remove);
  let rounds = 0;

  function read(files: Readonly<Record<string, string>>) {
    const root = join(directory.path, String(rounds++));
    for (const [name, text] of Object.entries(files)) {
      const file = join(root, name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
    return readMemoryUse(root);
  }

  it("reads cgroup v2", () => {
    const stat = "anon 500\nfile 450\nshmem 50\nactive_file 300\ninactive_file 100\n";
    assert.deepEqual(read({ "memory.max": "2000\n", "memory.current": "1000\n", "memory.stat": stat }), {
      limit: 2000,
      needed: 600,
    });
  });

  it("reads cgroup v1, with what its sub-groups use", () => {
    const stat =
      "cache 450\nactive_file 1\ninactive_file 1\ntotal_active_file 300\ntotal_inactive_file 100\n";
    assert.deepEqual(
      read({
        "memory/memory.limit_in_bytes": "2000\n",
        "memory/memory.usage_in_bytes": "1000\n",
        "memory/memory.stat": stat,
      }),
      { limit: 2000, needed: 600 },
    );
  });

  it("says nothing without a limit, or without a cgroup", () => {
    assert.equal(read({ "memory.max": "max\n", "memory.current": "1000\n", "memory.stat": "" }), undefined);
    assert.equal(
      read({
        "memory/memory.limit_in_bytes": "9223372036854771712\n",
        "memory/memory.usage_in_bytes": "1000\n",
        "memory/memory.stat": "",
      }),
      undefined,
    );
    assert.equal(read({}), undefined);
  });
});
