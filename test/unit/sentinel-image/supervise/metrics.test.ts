import assert from "node:assert/strict";
import type { SentinelView } from "../../../../quorum/agreement.ts";
import { parseAddress } from "../../../../runtime/address.ts";
import { parseInfo } from "../../../../sentinel-image/start/ask-peer.ts";
import { infoMetrics } from "../../../../sentinel-image/supervise/info-metrics.ts";
import { renderMetrics } from "../../../../sentinel-image/supervise/metrics-text.ts";
import { sentinelMetrics } from "../../../../sentinel-image/supervise/sentinel-metrics.ts";

const common =
  "# Server\r\nredis_version:8.2.9\r\nused_memory:1048576\r\nmaxmemory_policy:noeviction\r\naof_last_write_status:ok\r\nrdb_last_bgsave_status:err\r\n";
const lead = `${common}role:master\r\nconnected_slaves:1\r\nmaster_repl_offset:1000\r\nslave0:ip=redis-2,port=6379,state=online,offset=900,lag=1\r\ndb0:keys=3,expires=1,avg_ttl=0\r\ncmdstat_get:calls=5,usec=1500000,usec_per_call=1.00\r\ncmdstat_config|get:calls=2,usec=10\r\n`;
const follow = `${common}role:slave\r\nmaster_host:redis-1\r\nmaster_port:6379\r\nmaster_link_status:up\r\nslave_repl_offset:900\r\nslave_priority:100\r\n`;
const text = (info: string): string => renderMetrics(infoMetrics(parseInfo(info)));

const sentinel = (n: number) => parseAddress(`sentinel-${n}:26379`);
const view = (n: number, master = "redis-1:6379", flags = ["master"]): SentinelView => ({
  sentinel: sentinel(n),
  master: parseAddress(master),
  configEpoch: 4,
  flags,
  replicas: 2,
  otherSentinels: 2,
  settings: { quorum: 2, downAfterMs: 1000, failoverTimeoutMs: 6000, parallelSyncs: 2 },
});
const sentinels = [1, 2, 3].map(sentinel);

describe("the metrics of an instance", () => {
  const lines: readonly (readonly [info: string, line: string])[] = [
    [lead, "redis_memory_used_bytes 1048576"],
    [lead, "redis_aof_last_write_status 1"],
    [lead, "redis_rdb_last_bgsave_status 0"],
    [lead, 'redis_instance_info{role="master",redis_version="8.2.9",maxmemory_policy="noeviction"} 1'],
    [
      lead,
      'redis_connected_slave_offset_bytes{slave_ip="redis-2",slave_port="6379",slave_state="online"} 900',
    ],
    [lead, 'redis_ha_replica_behind_bytes{replica="redis-2:6379"} 100'],
    [lead, 'redis_db_keys{db="db0"} 3'],
    [lead, 'redis_commands_total{cmd="get"} 5'],
    [lead, 'redis_commands_duration_seconds_total{cmd="get"} 1.5'],
    [lead, 'redis_commands_total{cmd="config|get"} 2'],
    [follow, 'redis_master_link_up{master_host="redis-1",master_port="6379"} 1'],
    [follow, 'redis_slave_repl_offset{master_host="redis-1",master_port="6379"} 900'],
    [follow, "redis_slave_priority 100"],
  ];
  for (const [info, line] of lines) {
    it(`have ${line}`, () => assert.ok(text(info).split("\n").includes(line), text(info)));
  }

  it("have no value for what this Redis doesn't tell", () => {
    assert.doesNotMatch(text(follow), /NaN|redis_evicted_keys_total/);
    assert.doesNotMatch(text(follow), /redis_connected_slave_/);
  });

  it("say once for each name what it is, and keep labels whole", () => {
    const rendered = renderMetrics([
      { name: "a_total", help: "A.", value: 1, labels: { text: 'a "b"\n\\' } },
      { name: "a_total", help: "", value: 2 },
      { name: "b", help: "B.", value: Number.NaN },
    ]);
    assert.equal(
      rendered,
      '# HELP a_total A.\n# TYPE a_total counter\na_total{text="a \\"b\\"\\n\\\\"} 1\na_total 2\n',
    );
  });

  it("tell of each Sentinel whether it answers, agrees and sees trouble", () => {
    const views = [view(1), view(2), view(3, "redis-2:6379", ["master", "s_down"])];
    const rendered = renderMetrics(sentinelMetrics(sentinels, views)).split("\n");
    for (const line of [
      'redis_ha_sentinel_up{sentinel="sentinel-3:26379"} 1',
      'redis_ha_sentinel_agrees{sentinel="sentinel-1:26379"} 1',
      'redis_ha_sentinel_agrees{sentinel="sentinel-3:26379"} 0',
      'redis_ha_sentinel_sees_trouble{sentinel="sentinel-3:26379"} 1',
      'redis_ha_sentinel_known_sentinels{sentinel="sentinel-1:26379"} 3',
      'redis_ha_sentinel_quorum{sentinel="sentinel-1:26379"} 2',
      "redis_ha_master_agreed 1",
      "redis_ha_sentinels_missing 0",
      "redis_ha_sentinels_majority 1",
    ])
      assert.ok(rendered.includes(line), `${line}\n${rendered.join("\n")}`);
  });

  it("tell that a majority is away", () => {
    const rendered = renderMetrics(sentinelMetrics(sentinels, [view(1)])).split("\n");
    for (const line of [
      'redis_ha_sentinel_up{sentinel="sentinel-2:26379"} 0',
      "redis_ha_master_agreed 0",
      "redis_ha_sentinels_missing 2",
      "redis_ha_sentinels_majority 0",
    ])
      assert.ok(rendered.includes(line), line);
  });
});
