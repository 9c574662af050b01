import assert from "node:assert/strict";
import { parseCsv } from "../../../../workshop/bench/redis-benchmark.ts";
import { judge, renderReport, type Series } from "../../../../workshop/bench/report.ts";
import { scenarios } from "../../../../workshop/bench/scenarios.ts";
import { median, ratioOf } from "../../../../workshop/bench/statistics.ts";

describe("the benchmark's report", () => {
  const scenario = scenarios.find(({ name }) => name === "c=50");
  assert.ok(scenario);
  const series = (proxy: number[]): Series => ({
    scenario,
    command: "SET",
    rps: { direct: [100, 200], haproxy: [50, 100], proxy },
  });

  it("compares round by round, not medians of different rounds", () => {
    assert.deepEqual(ratioOf([150, 300], [100, 200]), { median: 1.5, min: 1.5, max: 1.5 });
    assert.equal(median([3, 1, 2]), 2);
    assert.throws(() => median([]), /at least one/);
  });

  it("says which target is missed, and by how much", () => {
    const good = judge({ series: [series([150, 300])] });
    assert.deepEqual(
      good.map(({ reached }) => reached),
      [true, true],
    );
    const result = { series: [series([130, 250])] };
    assert.deepEqual(
      judge(result).map(({ reached }) => reached),
      [false, true],
    );
    assert.match(renderReport(result), /MISS c=50 SET: proxy ÷ direct +1\.27 \(1\.25–1\.30\) +target 1\.4/);
  });

  it("holds memory, CPU and connections against their limits", () => {
    const verdicts = judge({
      series: [],
      redisCpuUs: { direct: [10], proxy: [7] },
      idle: { clients: 10_000, beforeMiB: 60, withClientsMiB: 101 },
      upstreams: { few: 4, many: 5, clients: 5000 },
    });
    assert.deepEqual(
      verdicts.map(({ reached }) => reached),
      [false, false, false],
    );
  });

  it("reads redis-benchmark's CSV by its column names", () => {
    const csv =
      '"test","rps","avg_latency_ms","p50_latency_ms","p99_latency_ms"\n"SET","1000.5","1","0.5","2.5"\n';
    assert.deepEqual(parseCsv(csv), [{ command: "SET", requestsPerSecond: 1000.5, p50Ms: 0.5, p99Ms: 2.5 }]);
    assert.throws(() => parseCsv('"test","x"\n"SET","1"\n'), /no column 'rps'/);
  });
});
