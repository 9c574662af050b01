import type { Metric } from "./metrics-text.ts";

/**
 * Fields of INFO and the names that redis_exporter (oliver006/redis_exporter, `exporter.go`) gives them: dashboards that are made for it work here, too.
 */
const named: readonly (readonly [field: string, name: string, help: string])[] = [
  ["uptime_in_seconds", "uptime_in_seconds", "Since redis-server was started."],
  ["connected_clients", "connected_clients", "Connections of clients, the proxies' among them."],
  ["blocked_clients", "blocked_clients", "Connections that wait in a blocking command."],
  ["used_memory", "memory_used_bytes", "Memory that Redis uses."],
  ["used_memory_rss", "memory_used_rss_bytes", "Memory of redis-server as the kernel counts it."],
  ["used_memory_peak", "memory_used_peak_bytes", "The most memory that Redis has used."],
  ["used_memory_dataset", "memory_used_dataset_bytes", "Memory of the data alone."],
  ["maxmemory", "memory_max_bytes", "maxmemory."],
  [
    "mem_fragmentation_ratio",
    "mem_fragmentation_ratio",
    "Memory of the process for each byte that Redis uses.",
  ],
  ["loading", "loading_dump_file", "1 while it loads its data."],
  ["rdb_changes_since_last_save", "rdb_changes_since_last_save", "Writes since the last RDB file."],
  ["rdb_bgsave_in_progress", "rdb_bgsave_in_progress", "1 while a fork writes an RDB file."],
  ["rdb_last_save_time", "rdb_last_save_timestamp_seconds", "When the last RDB file was written."],
  ["rdb_last_bgsave_status", "rdb_last_bgsave_status", "1: the last RDB file could be written."],
  ["aof_enabled", "aof_enabled", "1: it writes an append-only file."],
  ["aof_rewrite_in_progress", "aof_rewrite_in_progress", "1 while a fork rewrites the append-only file."],
  [
    "aof_last_bgrewrite_status",
    "aof_last_bgrewrite_status",
    "1: the last rewrite of the append-only file went well.",
  ],
  [
    "aof_last_write_status",
    "aof_last_write_status",
    "1: the append-only file can be written. Else it refuses all writes.",
  ],
  ["aof_current_size", "aof_current_size_bytes", "Size of the append-only file."],
  ["aof_base_size", "aof_base_size_bytes", "Its size after the last rewrite."],
  ["latest_fork_usec", "latest_fork_usec", "How long the last fork stopped Redis, microseconds."],
  ["instantaneous_ops_per_sec", "instantaneous_ops_per_sec", "Commands a second, of the last moment."],
  ["connected_slaves", "connected_slaves", "Replicas that are connected."],
  ["repl_backlog_size", "replication_backlog_bytes", "Size of the backlog."],
  ["repl_backlog_histlen", "repl_backlog_history_bytes", "How much of it is filled."],
  ["master_repl_offset", "master_repl_offset", "Position in the stream of writes, bytes."],
  ["slave_priority", "slave_priority", "replica-priority. 0: the Sentinels must not promote it."],
  ["sync_full", "replica_resyncs_full", "Replicas that had to copy everything."],
  ["sync_partial_ok", "replica_partial_resync_accepted", "Replicas that went on where they were."],
  ["sync_partial_err", "replica_partial_resync_denied", "Replicas that couldn't."],
  ["total_connections_received", "connections_received_total", "Connections that were accepted."],
  ["total_commands_processed", "commands_processed_total", "Commands that were executed."],
  ["rejected_connections", "rejected_connections_total", "Connections beyond maxclients."],
  ["total_net_input_bytes", "net_input_bytes_total", "Bytes that came."],
  ["total_net_output_bytes", "net_output_bytes_total", "Bytes that were sent."],
  ["expired_keys", "expired_keys_total", "Keys whose time was over."],
  ["evicted_keys", "evicted_keys_total", "Keys that were thrown away to make room."],
  ["keyspace_hits", "keyspace_hits_total", "Look-ups of keys that were there."],
  ["keyspace_misses", "keyspace_misses_total", "Look-ups of keys that weren't."],
  ["used_cpu_sys", "cpu_sys_seconds_total", "CPU of redis-server in the kernel."],
  ["used_cpu_user", "cpu_user_seconds_total", "CPU of redis-server."],
];

/** The metrics that INFO alone gives. @param info fields of `INFO everything`. */
export function infoMetrics(info: ReadonlyMap<string, string>): Metric[] {
  const field = (name: string): string => info.get(name) ?? "";
  const role = field("role");
  const master = { master_host: field("master_host"), master_port: field("master_port") };
  return [
    ...named.map(([name, metric, help]) => ({
      name: `redis_${metric}`,
      help,
      value: numberOf(info.get(name)),
    })),
    {
      name: "redis_instance_info",
      help: "What this is, in its labels.",
      value: 1,
      labels: { role, redis_version: field("redis_version"), maxmemory_policy: field("maxmemory_policy") },
    },
    ...(role === "slave"
      ? [
          {
            name: "redis_master_link_up",
            help: "1: the link with the master is up.",
            value: field("master_link_status") === "up" ? 1 : 0,
            labels: master,
          },
          {
            name: "redis_master_sync_in_progress",
            help: "1 while it copies everything from the master.",
            value: numberOf(info.get("master_sync_in_progress")),
            labels: master,
          },
          {
            name: "redis_slave_repl_offset",
            help: "Position in the master's stream of writes, bytes.",
            value: numberOf(info.get("slave_repl_offset")),
            labels: master,
          },
        ]
      : replicaMetrics(info)),
    ...[...info].flatMap(([name, text]) => keyspaceMetrics(name, text) ?? commandMetrics(name, text) ?? []),
  ];
}

/** Of each replica, by what its master has heard last. */
function replicaMetrics(info: ReadonlyMap<string, string>): Metric[] {
  const offset = numberOf(info.get("master_repl_offset"));
  return [...info].flatMap(([name, text]) => {
    if (!/^slave\d+$/.test(name)) return [];
    const fields = readPairs(text);
    const labels = {
      slave_ip: fields.get("ip") ?? "",
      slave_port: fields.get("port") ?? "",
      slave_state: fields.get("state") ?? "",
    };
    const own = numberOf(fields.get("offset"));
    return [
      {
        name: "redis_connected_slave_offset_bytes",
        help: "Offset that a replica has confirmed.",
        value: own,
        labels,
      },
      {
        name: "redis_connected_slave_lag_seconds",
        help: "Since a replica has confirmed anything.",
        value: numberOf(fields.get("lag")),
        labels,
      },
      {
        name: "redis_ha_replica_behind_bytes",
        help: "What a replica hasn't confirmed yet.",
        value: Math.max(0, offset - own),
        labels: { replica: `${labels.slave_ip}:${labels.slave_port}` },
      },
    ];
  });
}

function keyspaceMetrics(name: string, text: string): Metric[] | undefined {
  if (!/^db\d+$/.test(name)) return undefined;
  const fields = readPairs(text);
  const labels = { db: name };
  return [
    { name: "redis_db_keys", help: "Keys.", value: numberOf(fields.get("keys")), labels },
    {
      name: "redis_db_keys_expiring",
      help: "Keys that will expire.",
      value: numberOf(fields.get("expires")),
      labels,
    },
  ];
}

function commandMetrics(name: string, text: string): Metric[] | undefined {
  const cmd = /^cmdstat_(.+)$/.exec(name)?.[1];
  if (cmd === undefined) return undefined;
  const fields = readPairs(text);
  return [
    {
      name: "redis_commands_total",
      help: "Calls of each command.",
      value: numberOf(fields.get("calls")),
      labels: { cmd },
    },
    {
      name: "redis_commands_duration_seconds_total",
      help: "Time that Redis spent in each command.",
      value: numberOf(fields.get("usec")) / 1e6,
      labels: { cmd },
    },
  ];
}

function readPairs(text: string): Map<string, string> {
  return new Map(
    text.split(",").map((pair) => {
      const [name = "", ...value] = pair.split("=");
      return [name, value.join("=")];
    }),
  );
}

/** As redis_exporter reads them: a status is 1 when it is `ok`. */
function numberOf(text: string | undefined): number {
  if (text === "ok") return 1;
  if (text === "err") return 0;
  return text === undefined || text === "" ? Number.NaN : Number(text);
}
