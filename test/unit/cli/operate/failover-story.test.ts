import assert from "node:assert/strict";
import { tellLastFailover } from "../../../../cli/operate/last-failover.ts";
import { readInstanceLog, readSentinelLog } from "../../../../cli/operate/read-failover-log.ts";

/** Of a real run: a master that was killed, after an earlier failover the other way. */
const leader = `
13012:X 30 Nov 2026 15:59:41.871 # +selected-slave slave 10.77.2.1:27101 10.77.2.1 27101 @ redis-ha-local 10.77.2.3 27103
13012:X 30 Nov 2026 15:59:41.950 # +switch-master redis-ha-local 10.77.2.3 27103 10.77.2.1 27101
13012:X 30 Nov 2026 15:59:51.612 # +sdown master redis-ha-local 10.77.2.1 27101
13012:X 30 Nov 2026 15:59:51.713 # +odown master redis-ha-local 10.77.2.1 27101 #quorum 2/2
13012:X 30 Nov 2026 15:59:51.713 # +try-failover master redis-ha-local 10.77.2.1 27101
13012:X 30 Nov 2026 15:59:51.804 # +elected-leader master redis-ha-local 10.77.2.1 27101
13012:X 30 Nov 2026 15:59:51.871 # +selected-slave slave 10.77.2.2:27102 10.77.2.2 27102 @ redis-ha-local 10.77.2.1 27101
13012:X 30 Nov 2026 15:59:51.950 * +failover-state-wait-promotion slave 10.77.2.2:27102 10.77.2.2 27102 @ redis-ha-local 10.77.2.1 27101
13012:X 30 Nov 2026 15:59:52.022 # +switch-master redis-ha-local 10.77.2.1 27101 10.77.2.2 27102
13012:X 30 Nov 2026 15:59:53.100 # +sdown slave 10.77.2.1:27101 10.77.2.1 27101 @ redis-ha-local 10.77.2.2 27102
`;
const others = `
12863:X 30 Nov 2026 15:59:51.999 # +switch-master redis-ha-local 10.77.2.1 27101 10.77.2.2 27102
30711:X 30 Nov 2026 15:59:51.578 # +sdown master redis-ha-local 10.77.2.1 27101
30711:X 30 Nov 2026 15:59:52.000 # +switch-master redis-ha-local 10.77.2.1 27101 10.77.2.2 27102
`;
const utc = " UTC";

describe("the last failover as the logs tell it", () => {
  it("has its phases in ms since a Sentinel saw the master down", () => {
    const events = [
      ...readSentinelLog("redis-sentinel-1", leader, "redis-ha-local", utc),
      ...readSentinelLog("redis-sentinel-2", others, "redis-ha-local", utc),
    ];
    const story = tellLastFailover(events, 3);
    assert.deepEqual(story, {
      kind: "failure",
      from: "10.77.2.1:27101",
      to: "10.77.2.2:27102",
      at: "2026-11-30T15:59:51.578Z",
      phases: [
        { name: "a Sentinel sees the master down", ms: 0 },
        { name: "enough Sentinels see it down", ms: 135 },
        { name: "an election begins", ms: 135 },
        { name: "a leader is elected", ms: 226 },
        { name: "a replica is chosen", ms: 293 },
        { name: "it is ordered to lead", ms: 372 },
        { name: "most Sentinels name the new master", ms: 422 },
        { name: "all Sentinels do", ms: 444 },
      ],
      pausedMs: undefined,
    });
  });

  it("is planned when nobody saw the master down, and says for how long writes were paused", () => {
    const sentinel = `
1:X 30 Nov 2026 15:53:53.500 # +try-failover master redis-ha-local 10.77.2.3 27103
1:X 30 Nov 2026 15:53:53.640 # +selected-slave slave 10.77.2.1:27101 10.77.2.1 27101 @ redis-ha-local 10.77.2.3 27103
1:X 30 Nov 2026 15:53:53.700 # +switch-master redis-ha-local 10.77.2.3 27103 10.77.2.1 27101`;
    const instance = `{"level":30,"time":"2026-11-30T15:53:53.673Z","program":"redis","pausedMs":228,"msg":"writes were paused"}
{"level":30,"time":"2026-11-30T15:53:53.676Z","program":"redis","successor":"10.77.2.1:27101","msg":"handed the master's role over"}
{"level":30,"time":"2026-11-30T15:53:53.6`;
    const story = tellLastFailover(
      [
        ...readSentinelLog("redis-sentinel-1", sentinel, "redis-ha-local", utc),
        ...readInstanceLog("redis-instance-3", instance),
      ],
      3,
    );
    assert.equal(story?.kind, "planned");
    assert.equal(story.pausedMs, 228);
    assert.equal(story.phases.find(({ name }) => name === "the old master follows it")?.ms, 176);
    assert.ok(!story.phases.some(({ name }) => name.startsWith("most")), "one of three is no majority");
  });

  it("is of this master alone, and none when nothing happened", () => {
    assert.deepEqual(readSentinelLog("redis-sentinel-1", leader, "another"), []);
    assert.equal(tellLastFailover([], 3), undefined);
  });
});
