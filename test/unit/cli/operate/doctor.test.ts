import assert from "node:assert/strict";
import { checks, examine, isWell } from "../../../../cli/operate/doctor.ts";
import type { Observation } from "../../../../cli/operate/observation.ts";
import { readRedis, readSentinel } from "../../../../cli/operate/read-replies.ts";
import {
  lookedMs,
  redisAddress,
  replaced,
  sampleFollowing,
  sampleMove,
  sampleObservation,
  sampleProxy,
  sampleRedis,
  sampleSentinel,
  sentinelAddress,
} from "../../../support/observations.ts";

const calm = sampleObservation();
const day = 86_400_000;

const redis = (n: number, ...info: string[]): Partial<Observation> => ({
  redis: replaced(calm.redis, sampleRedis(n, info)),
});
const machine = (n: number, seen: object): Partial<Observation> => {
  const one = sampleRedis(n);
  return { redis: replaced(calm.redis, { ...one, machine: { ...one.machine, ...seen } }) };
};
const config = (n: number, seen: Record<string, string>): Partial<Observation> => {
  const one = sampleRedis(n);
  return { redis: replaced(calm.redis, { ...one, config: { ...one.config, ...seen } }) };
};
const silentRedis = (n: number, problem: string, where = {}): Partial<Observation> => ({
  redis: replaced(
    calm.redis,
    readRedis({ name: `redis-instance-${n}`, address: redisAddress(n) }, new Error(problem), where),
  ),
});
const silentSentinel = (n: number, problem = "no answer within 1000 ms"): Observation["sentinels"][number] =>
  readSentinel({ name: `redis-sentinel-${n}`, address: sentinelAddress(n) }, new Error(problem));
const sentinel = (n: number, changes: Parameters<typeof sampleSentinel>[1]): Partial<Observation> => ({
  sentinels: replaced(calm.sentinels, sampleSentinel(n, changes)),
});
const allSentinels = (changes: Parameters<typeof sampleSentinel>[1]): Partial<Observation> => ({
  sentinels: [1, 2, 3].map((n) => sampleSentinel(n, changes)),
});
const proxy = (metrics: Record<string, number>, problem?: string): Partial<Observation> => ({
  proxies: [sampleProxy(metrics, problem)],
});

/** Check, what is seen, subject and words of its finding. The check's finding has to be the first one of all. */
const table: readonly (readonly [
  check: string,
  seen: Partial<Observation>,
  subject: string,
  finding: RegExp,
])[] = [
  [
    "redis-busy",
    silentRedis(1, "BUSY Redis is busy running a script"),
    "redis-instance-1",
    /script keeps it busy/,
  ],
  [
    "redis-silent",
    silentRedis(2, "connect ECONNREFUSED"),
    "redis-instance-2",
    /doesn't answer: connect ECONNREFUSED/,
  ],
  [
    "redis-fenced",
    silentRedis(2, "connect ECONNREFUSED", { fenced: "its disk is replaced (me, now)" }),
    "redis-instance-2",
    /fenced: its disk is replaced \(me, now\)\. One copy of the data is missing/,
  ],
  [
    "move-not-in-sync",
    {
      ...sampleMove(),
      redis: replaced(sampleMove().redis, sampleFollowing(3, ["master_link_status:down"])),
    },
    "redis-instance-3",
    /no link with 10\.0\.0\.9:6379: the cut-over is refused/,
  ],
  [
    "sentinel-lost-master",
    {
      sentinels: replaced(
        calm.sentinels,
        readSentinel({ name: "redis-sentinel-2", address: sentinelAddress(2) }, [
          null,
          new Error("ERR No such master"),
          [],
          [],
          "id2",
          "# Sentinel",
        ]),
      ),
    },
    "redis-sentinel-2",
    /doesn't know the master/,
  ],
  [
    "sentinel-silent",
    { sentinels: replaced(calm.sentinels, silentSentinel(3)) },
    "redis-sentinel-3",
    /no answer/,
  ],
  [
    "redis-loading",
    redis(3, "loading:1", "loading_loaded_perc:12"),
    "redis-instance-3",
    /loads its data, 12 %/,
  ],
  [
    "aof-write",
    redis(3, "aof_last_write_status:err"),
    "redis-instance-3",
    /can't write its append-only file/,
  ],
  ["volume-full", machine(2, { diskFreeBytes: 2 ** 25 }), "redis-instance-2", /only 3 % of its volume/],
  ["aof-rewrite", redis(1, "aof_last_bgrewrite_status:err"), "redis-instance-1", /rewrite .* failed/],
  ["memory-full", redis(1, "used_memory:100000001"), "redis-instance-1", /100 % .* refuses writes/],
  ["memory-full", redis(1, "used_memory:91000000"), "redis-instance-1", /91 % of its maxmemory is used$/],
  ["clients-full", redis(1, "connected_clients:19000"), "redis-instance-1", /19000 of 20000/],
  [
    "certificate",
    machine(1, { certificateEndsMs: lookedMs + 5 * day }),
    "redis-instance-1",
    /ends in 5 days/,
  ],
  ["certificate", machine(1, { certificateEndsMs: lookedMs - day }), "redis-instance-1", /has ended/],
  ["drift", config(2, { appendonly: "no" }), "redis-instance-2", /appendonly is no, not yes/],
  [
    "drift",
    config(1, { "min-replicas-to-write": "0" }),
    "redis-instance-1",
    /min-replicas-to-write is 0, not 1/,
  ],
  [
    "drift",
    { ...config(1, { "min-replicas-to-write": "1" }), ...proxy({ redis_ha_proxy_quorum_replicas: 2 }) },
    "redis-instance-1",
    /min-replicas-to-write is 1, not 2/,
  ],
  ["clock-skew", machine(3, { clockMs: 9000 }), "redis-instance-3", /9\.0 s ahead of redis-instance-1's/],
  [
    "sentinel-ghost",
    sentinel(1, {
      more: [["ip", "svc-redis-sentinel-4", "port", "26379", "runid", "x", "flags", "s_down,sentinel"]],
    }),
    "redis-sentinel-1",
    /knows Sentinel svc-redis-sentinel-4:26379, which isn't configured/,
  ],
  ["sentinel-tilt", sentinel(2, { info: ["sentinel_tilt:1"] }), "redis-sentinel-2", /in TILT/],
  [
    "sentinel-settings",
    sentinel(2, { master: { "down-after-milliseconds": "9" } }),
    "redis-sentinel-2",
    /down-after-milliseconds 9/,
  ],
  ["sentinel-quorum", allSentinels({ master: { quorum: "1" } }), "redis-sentinel-1", /quorum is 1 with 3/],
  ["sentinel-incomplete", sentinel(1, { without: 3 }), "redis-sentinel-1", /doesn't know redis-sentinel-3/],
  [
    "sentinel-unreached",
    sentinel(1, { other: { flags: "s_down,sentinel,disconnected" } }),
    "redis-sentinel-1",
    /doesn't reach redis-sentinel-2, redis-sentinel-3, which answer here/,
  ],
  [
    "sentinel-same-id",
    { sentinels: replaced(calm.sentinels, { ...sampleSentinel(2), id: "id1" }) },
    "redis-sentinel-1",
    /same ID/,
  ],
  [
    "sentinel-disagrees",
    sentinel(3, { names: 2, master: { "config-epoch": "2" } }),
    "redis-sentinel-3",
    /names svc-redis-instance-2:6379 at epoch 2/,
  ],
  [
    "sentinel-sees-down",
    sentinel(3, { master: { flags: "master,s_down" } }),
    "redis-sentinel-3",
    /sees the master s_down/,
  ],
  [
    "sentinel-promotable",
    allSentinels({ replica: { "slave-priority": "0" } }),
    "redis-sentinel-1",
    /could promote no replica/,
  ],
  [
    "failover-under-way",
    sentinel(1, { master: { flags: "master,failover_in_progress" } }),
    "sentinels",
    /under way/,
  ],
  ["second-master", redis(3, "role:master", "connected_slaves:0"), "redis-instance-3", /calls itself master/],
  ["no-master", redis(1, "role:slave", "master_host:svc-redis-instance-1"), "redis", /there is no master/],
  [
    "wrong-master",
    redis(3, "master_host:svc-redis-instance-2"),
    "redis-instance-3",
    /follows svc-redis-instance-2:6379/,
  ],
  [
    "copying",
    redis(3, "master_link_status:down", "master_sync_in_progress:1"),
    "redis-instance-3",
    /copies everything/,
  ],
  [
    "no-link",
    redis(3, "master_link_status:down", "master_link_down_since_seconds:7"),
    "redis-instance-3",
    /no link with the master for 7 s/,
  ],
  [
    "unpromotable",
    config(3, { "replica-priority": "0" }),
    "redis-instance-3",
    /must not be promoted .* just come into sync/,
  ],
  ["favoured", config(3, { "replica-priority": "50" }), "redis-instance-3", /promoted before all others/],
  ["behind", redis(1, "master_repl_offset:50000000"), "redis-instance-2", /48 MiB behind/],
  [
    "versions",
    redis(2, "redis_version:8.2.1"),
    "redis-instance-2",
    /runs Redis 8\.2\.1, another one Redis 8\.2\.9/,
  ],
  [
    "heartbeat",
    { redis: replaced(calm.redis, sampleRedis(1, [], { heartbeat: `3:${lookedMs - 60_000}` })) },
    "redis-instance-1",
    /heartbeat is 60 s old/,
  ],
  [
    "heartbeat",
    { redis: replaced(calm.redis, sampleRedis(1, [], { heartbeat: null })) },
    "redis-instance-1",
    /keeps no heartbeat/,
  ],
  [
    "quorum-margin",
    { ...redis(1, "min_slaves_good_slaves:1"), ...proxy({ redis_ha_proxy_quorum_replicas: 1 }) },
    "redis-instance-1",
    /1 replicas keep up, as many as .* needs: the next loss stops/,
  ],
  [
    "quorum-margin",
    { ...redis(1, "min_slaves_good_slaves:0"), ...proxy({ redis_ha_proxy_quorum_replicas: 1 }) },
    "redis-instance-1",
    /only 0 replicas keep up and .* needs 1: reads and writes wait/,
  ],
  ["proxy-silent", proxy({}, "ECONNREFUSED"), "redis-sentinel-proxy-1", /isn't ready: ECONNREFUSED/],
  ["proxy-holding", proxy({ redis_ha_proxy_following: 0 }), "redis-sentinel-proxy-1", /has no master/],
  [
    "proxy-sentinels",
    proxy({ redis_ha_proxy_sentinels_reachable: 1 }),
    "redis-sentinel-proxy-1",
    /reaches 1 Sentinels, and 3 answer/,
  ],
];

describe("the doctor", () => {
  it("finds nothing when all is well", () => {
    assert.deepEqual(examine(calm), []);
  });

  for (const [check, seen, subject, finding] of table) {
    it(`names the cause first: ${check}, ${finding}`, () => {
      const [first] = examine({ ...calm, ...seen });
      assert.equal(first?.check, check, JSON.stringify(examine({ ...calm, ...seen }), null, 1));
      assert.equal(first.subject, subject);
      assert.match(first.finding, finding);
      assert.ok(first.cure.length > 10);
      assert.equal(isWell([first]), false);
    });
  }

  it("says after the silent Sentinels that nobody can be promoted", () => {
    const sentinels = [
      sampleSentinel(1, { other: { flags: "s_down,sentinel,disconnected" } }),
      silentSentinel(2),
      silentSentinel(3),
    ];
    const names = examine({ ...calm, sentinels }).map(({ check }) => check);
    assert.deepEqual(names.slice(0, 2), ["sentinel-silent", "sentinel-silent"]);
    assert.ok(names.includes("no-majority") && names.includes("no-master"), names.join());
  });

  it("notes what nobody has to be woken for, and is well all the same", () => {
    for (const [check, seen] of [
      ["version-floor", { redis: [1, 2, 3].map((n) => sampleRedis(n, ["redis_version:7.0.15"])) }],
      ["move-under-way", sampleMove()],
      ["proxy-slow", proxy({ redis_ha_proxy_nodejs_eventloop_lag_p99_seconds: 0.3 })],
    ] as const) {
      const findings = examine({ ...calm, ...seen });
      assert.equal(findings[0]?.check, check);
      assert.equal(isWell(findings), true);
    }
  });

  it("has a test here for each of its checks", () => {
    const tested = new Set([
      ...table.map(([check]) => check),
      "no-majority",
      "version-floor",
      "proxy-slow",
      "move-under-way",
    ]);
    assert.deepEqual(
      checks.map(({ name }) => name).filter((name) => !tested.has(name)),
      [],
    );
    assert.ok(checks.length >= 30);
  });

  it("blames no clock and no heartbeat for the time that the questions took", () => {
    const slow = sampleRedis(1);
    const machine = { ...slow.machine, clockMs: 9000, clockErrorMs: 9000, askedMs: lookedMs };
    const seen = { ...calm, atMs: lookedMs + 60_000, redis: replaced(calm.redis, { ...slow, machine }) };
    assert.deepEqual(examine(seen), []);
  });

  it("tells what to type on a stack in the stack's words", () => {
    const seen = { ...calm, namespace: "redis-ha-dev", ...silentRedis(2, "it has no pod") };
    assert.match(
      examine(seen)[0]?.cure ?? "",
      /^kubectl -n redis-ha-dev describe pod -l redis-ha\/workload=redis-instance-2/,
    );
  });
});
