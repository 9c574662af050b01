import type { Observation, ProxySeen, RedisSeen, SentinelSeen } from "../../cli/operate/observation.ts";
import { readRedis, readSentinel } from "../../cli/operate/read-replies.ts";
import type { MoveNote } from "../../sentinel-image/move/move-note.ts";

export const redisAddress = (n: number) => ({ host: `svc-redis-instance-${n}`, port: 6379 });
export const sentinelAddress = (n: number) => ({ host: `svc-redis-sentinel-${n}`, port: 26379 });

/** When the samples were looked at. */
export const lookedMs = Date.parse("2026-11-30T12:00:00Z");

const common = [
  "redis_version:8.2.9",
  "uptime_in_seconds:5000",
  "connected_clients:12",
  "used_memory:10000000",
  "maxmemory:100000000",
  "maxmemory_policy:noeviction",
  "loading:0",
  "aof_enabled:1",
  "aof_last_write_status:ok",
  "aof_last_bgrewrite_status:ok",
  "rdb_last_bgsave_status:ok",
  "rejected_connections:0",
  "evicted_keys:0",
];

/** A Redis as it is when all is well: number 1 leads. @param info lines that take the place of those with their name. */
export function sampleRedis(
  n: number,
  info: readonly string[] = [],
  {
    priority = "100",
    heartbeat = `3:${lookedMs - 300}`,
  }: { priority?: string; heartbeat?: string | null } = {},
): RedisSeen {
  const role =
    n === 1
      ? ["role:master", "connected_slaves:2", "master_repl_offset:5000"]
      : [
          "role:slave",
          "master_host:svc-redis-instance-1",
          "master_port:6379",
          "master_link_status:up",
          "master_sync_in_progress:0",
          "slave_repl_offset:5000",
          "master_repl_offset:5000",
        ];
  const lines = ["# Sample", ...common, ...role, ...info];
  const settings = [
    ["replica-priority", priority],
    ["min-replicas-to-write", "1"],
    ["appendonly", "yes"],
    ["maxclients", "20000"],
  ];
  const machine = { clockMs: 5, diskBytes: 2 ** 30, diskFreeBytes: 2 ** 29 };
  const part = { name: `redis-instance-${n}`, address: redisAddress(n) };
  return readRedis(part, [heartbeat, ...settings, lines.join("\r\n")], machine);
}

/** What a sample Sentinel says otherwise than it does when all is well. */
export interface SampleSentinelChanges {
  readonly master?: Readonly<Record<string, string>>;
  /** Number of the instance that it names. */
  readonly names?: number;
  /** Of all replicas that it knows. */
  readonly replica?: Readonly<Record<string, string>>;
  /** Of all other Sentinels that it knows. */
  readonly other?: Readonly<Record<string, string>>;
  readonly more?: readonly (readonly string[])[];
  readonly info?: readonly string[];
  readonly without?: number;
}

/** A Sentinel as it is when all is well. */
export function sampleSentinel(n: number, changes: SampleSentinelChanges = {}): SentinelSeen {
  const { names = 1, master = {}, replica = {}, other = {}, more = [], info = [], without } = changes;
  const flat = (fields: Readonly<Record<string, string>>): string[] => Object.entries(fields).flat();
  const address = redisAddress(names);
  const replicas = [1, 2, 3]
    .filter((i) => i !== names)
    .map((i) =>
      flat({
        ip: redisAddress(i).host,
        port: "6379",
        flags: "slave",
        "master-link-status": "ok",
        "slave-priority": "100",
        ...replica,
      }),
    );
  const others = [1, 2, 3]
    .filter((i) => i !== n && i !== without)
    .map((i) =>
      flat({ ip: sentinelAddress(i).host, port: "26379", runid: `id${i}`, flags: "sentinel", ...other }),
    );
  const replies = [
    [address.host, "6379"],
    flat({ ip: address.host, port: "6379", flags: "master", "config-epoch": "3", quorum: "2", ...master }),
    replicas,
    [...others, ...more],
    `id${n}`,
    ["# Sentinel", "redis_version:8.2.9", "sentinel_tilt:0", "uptime_in_seconds:5000", ...info].join("\r\n"),
  ];
  return readSentinel({ name: `redis-sentinel-${n}`, address: sentinelAddress(n) }, replies);
}

/** A proxy as it is when all is well. */
export function sampleProxy(metrics: Readonly<Record<string, number>> = {}, problem?: string): ProxySeen {
  return {
    name: "redis-sentinel-proxy-1",
    address: { host: "10.0.0.9", port: 6379 },
    problem,
    metrics: {
      redis_ha_proxy_clients: 7,
      redis_ha_proxy_following: 1,
      redis_ha_proxy_holding: 0,
      redis_ha_proxy_sentinels_reachable: 3,
      redis_ha_proxy_sentinels_disagreeing: 0,
      ...metrics,
    },
  };
}

/** Three Redis, three Sentinels and a proxy without any fault, but for what is changed. */
export function sampleObservation(changes: Partial<Observation> = {}): Observation {
  return {
    atMs: lookedMs,
    masterName: "redis-ha-dev",
    redis: [1, 2, 3].map((n) => sampleRedis(n)),
    sentinels: [1, 2, 3].map((n) => sampleSentinel(n)),
    proxies: [sampleProxy()],
    events: [],
    ...changes,
  };
}

/** The sample parts, one of them replaced. */
export function replaced<Part extends { readonly name: string }>(parts: readonly Part[], part: Part): Part[] {
  return parts.map((one) => (one.name === part.name ? part : one));
}

/** A Redis whose data the samples below take over. */
export const moveSource = "10.0.0.9:6379";

/** The same instance with a note of a move on its volume. */
export function noted(one: RedisSeen, state: MoveNote["state"]): RedisSeen {
  return { ...one, machine: { ...one.machine, move: { source: moveSource, state } } };
}

/** An instance that copies that Redis. @param info as for {@link sampleRedis}. */
export function sampleFollowing(n: number, info: readonly string[] = []): RedisSeen {
  const [host, port] = moveSource.split(":");
  const role = [
    "role:slave",
    `master_host:${host}`,
    `master_port:${port}`,
    "master_link_status:up",
    "master_sync_in_progress:0",
    "master_last_io_seconds_ago:1",
  ];
  return noted(sampleRedis(n, [...role, ...info], { priority: "0" }), "following");
}

/** A set that takes over its data, in sync: to the Sentinels its master is a replica, and down. */
export function sampleMove(): Observation {
  return sampleObservation({
    redis: [1, 2, 3].map((n) => sampleFollowing(n)),
    sentinels: [1, 2, 3].map((n) =>
      sampleSentinel(n, {
        master: { flags: "master,s_down,o_down", "role-reported": "slave" },
        replica: { "slave-priority": "0" },
      }),
    ),
  });
}
