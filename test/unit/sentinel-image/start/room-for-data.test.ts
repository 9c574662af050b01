import assert from "node:assert/strict";
import { judgeRoom } from "../../../../sentinel-image/start/room-for-data.ts";

const MiB = 2 ** 20;

function judge(
  maxmemory: number,
  policy: string,
  master: { maxmemory: number; used: number; buffers?: number },
) {
  const info = new Map([
    ["maxmemory", String(master.maxmemory * MiB)],
    ["used_memory", String(master.used * MiB)],
    ["mem_not_counted_for_evict", String((master.buffers ?? 0) * MiB)],
  ]);
  return judgeRoom({ maxmemory: maxmemory * MiB, policy, master: "svc-redis-instance-1:6379", info });
}

describe("judgeRoom", () => {
  it("has enough when the data fit, or when nothing was lowered", () => {
    assert.equal(judge(93, "noeviction", { maxmemory: 208, used: 90 }).kind, "enough");
    assert.equal(judge(93, "noeviction", { maxmemory: 93, used: 99 }).kind, "enough");
    assert.equal(judge(208, "noeviction", { maxmemory: 93, used: 93 }).kind, "enough");
    // What Redis doesn't count when it refuses writes.
    assert.equal(judge(93, "noeviction", { maxmemory: 208, used: 110, buffers: 20 }).kind, "enough");
  });

  for (const policy of ["noeviction", "volatile-lru", "volatile-ttl"]) {
    it(`refuses less than the data with ${policy}, and says what helps`, () => {
      const room = judge(93, policy, { maxmemory: 286, used: 272 });
      assert.equal(room.kind, "too-small");
      assert.match(
        room.kind === "too-small" ? room.problem : "",
        /^svc-redis-instance-1:6379 holds 272 MiB, and redis:memory leaves this instance 93 MiB for data: .* at least 672Mi \(pulumi config set redis:memory 672Mi\)/,
      );
    });
  }

  it("refuses it beside a master without any bound", () => {
    assert.equal(judge(93, "noeviction", { maxmemory: 0, used: 94 }).kind, "too-small");
  });

  it("warns when Redis will evict the rest, and refuses when even a replica could not hold it", () => {
    const room = judge(93, "allkeys-lru", { maxmemory: 208, used: 150 });
    assert.match(room.kind === "evicts" ? room.warning : "", /will evict the rest \(allkeys-lru\)/);
    assert.equal(judge(93, "allkeys-lru", { maxmemory: 208, used: 200 }).kind, "too-small");
  });
});
