/** One alert, as Prometheus takes it. */
export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: "critical" | "warning" };
  readonly annotations: {
    readonly summary: string;
    /** What to do. */
    readonly description: string;
    /** The section about it, in this project. */
    readonly runbook: string;
  };
}

/** Whose metrics the alerts are about. */
export interface AlertScope {
  readonly namespace: string;
  /** Value of the pods' label `app.kubernetes.io/name`, by which sets in one namespace are told apart. */
  readonly name: string;
  readonly instances: number;
  readonly sentinels: number;
}

/** The page with a section for each alert, under its name. */
const runbook = "docs/troubleshooting.md";

type Told = readonly [
  alert: string,
  severity: AlertRule["labels"]["severity"],
  wait: string,
  expr: string,
  summary: string,
  description: string,
];

/** The alerts of one set. Pure. A failover takes a few seconds: whatever is over by then wakes nobody. */
export function alertRules({ namespace, name, instances, sentinels }: AlertScope): AlertRule[] {
  const of = (metric: string): string =>
    `${metric}{namespace="${namespace}",app_kubernetes_io_name="${name}"}`;
  // Another Redis is the master until the cut-over (docs/move.md).
  const unlessMoving = `unless max(${of("redis_ha_moving")}) == 1`;
  const masters = of("redis_instance_info").replace("}", ',role="master"}');
  const told: readonly Told[] = [
    [
      "RedisHaNoMaster",
      "critical",
      "15s",
      // Without a majority of the Sentinels nobody is agreed on, and the master goes on all the same.
      `(sum(${of("redis_ha_leads")}) or vector(0)) == 0 unless (max(${of("redis_ha_sentinels_majority")}) == 0 and count(${masters}) > 0) ${unlessMoving}`,
      "No Redis leads: nothing can be written.",
      "redis-ha doctor names the cause first. Clients wait for proxy:holdTimeoutMs, then they get LOADING.",
    ],
    [
      "RedisHaInstanceMissing",
      "warning",
      "20s",
      `(count(${of("redis_up")} == 1) or vector(0)) < ${instances}`,
      "A Redis doesn't answer.",
      "kubectl describe and logs of its pod; redis-ha status says which it is.",
    ],
    [
      "RedisHaNobodyPromotable",
      "critical",
      "15s",
      `(sum(${of("redis_ha_promotable")}) or vector(0)) == 0 ${unlessMoving}`,
      "No replica could take over: if the master fails now, there is no other one.",
      "redis-ha doctor says why each replica isn't in sync or must not be promoted.",
    ],
    [
      "RedisHaSentinelMissing",
      "warning",
      "20s",
      `max by (sentinel) (${of("redis_ha_sentinel_up")}) == 0`,
      "Sentinel {{ $labels.sentinel }} answers no instance.",
      "kubectl describe and logs of its pod.",
    ],
    [
      "RedisHaNoMajority",
      "critical",
      "15s",
      `max(${of("redis_ha_sentinels_majority")}) == 0`,
      "Most Sentinels don't answer: no failover is possible.",
      "Bring the Sentinels back; redis-ha status says which are missing.",
    ],
    [
      "RedisHaSentinelDisagrees",
      "warning",
      "15s",
      `max by (sentinel) (${of("redis_ha_sentinel_agrees")}) == 0 and on () max(${of("redis_ha_sentinels_majority")}) == 1`,
      "Sentinel {{ $labels.sentinel }} names another master than the majority.",
      "The master repairs it after 5 s. If it stays, restart that Sentinel.",
    ],
    [
      "RedisHaSentinelGhost",
      "warning",
      "60s",
      `max by (sentinel) (${of("redis_ha_sentinel_known_sentinels")}) > ${sentinels}`,
      "Sentinel {{ $labels.sentinel }} knows Sentinels that aren't configured: they count in its majority.",
      "The master has it forget them when all is well. redis-ha doctor names them.",
    ],
    [
      "RedisHaAppendOnlyFile",
      "critical",
      "5s",
      `${of("redis_aof_last_write_status")} == 0`,
      "{{ $labels.pod }} can't write its append-only file: it refuses writes and must not lead.",
      "Its volume is full or broken: raise redis:storage, or replace it.",
    ],
    [
      "RedisHaVolumeNearlyFull",
      "warning",
      "60s",
      `${of("redis_ha_volume_free_bytes")} / ${of("redis_ha_volume_bytes")} < 0.1`,
      "Less than a tenth of the volume of {{ $labels.pod }} is free.",
      "Raise redis:storage: a rewrite of the append-only file needs room for a second copy.",
    ],
    [
      "RedisHaMemoryNearlyFull",
      "warning",
      "60s",
      `${of("redis_memory_used_bytes")} / (${of("redis_memory_max_bytes")} > 0) > 0.9 and on (pod) ${of("redis_instance_info").replace("}", ',maxmemory_policy="noeviction"}')}`,
      "{{ $labels.pod }} uses more than nine tenths of its maxmemory.",
      "When it is full it refuses writes: raise redis:memory, delete data, or let it evict (redis:maxmemoryPolicy).",
    ],
    [
      "RedisHaReplicaBehind",
      "warning",
      "20s",
      `${of("redis_ha_replica_behind_bytes")} > ${16 * 2 ** 20}`,
      "Replica {{ $labels.replica }} is more than 16 MiB behind.",
      "So much would be lost with the master. Look for a slow network or disk, or for too little CPU.",
    ],
    [
      "RedisHaCertificateEnds",
      "warning",
      "60s",
      `${of("redis_ha_certificate_end_timestamp_seconds")} - time() < 14 * 86400`,
      "The certificate of {{ $labels.pod }} ends within 14 days.",
      "pulumi up with a raised tls:generation, or see why your issuer doesn't renew it.",
    ],
    [
      "RedisHaBackupTooOld",
      "warning",
      "300s",
      `time() > max(${of("redis_ha_backup_due_timestamp_seconds")})`,
      "The newest good backup is older than the schedule allows.",
      "The supervisor of each replica logs why a backup failed; docs/backup.md says what to do.",
    ],
    [
      "RedisHaBackupFailed",
      "warning",
      "60s",
      `max(${of("redis_ha_backup_failing")}) == 1 or min(${of("redis_ha_backup_verified")}) == 0`,
      "A backup failed, or the newest one wasn't verified.",
      "Earlier ones stay as they are. redis-ha backup list tells which, redis-ha backup verify tries it elsewhere; docs/backup.md.",
    ],
    [
      "RedisHaCrashLoop",
      "warning",
      "0s",
      // Not the resets of an uptime: a planned restart is no crash.
      `increase(${of("redis_ha_server_crashes_total")}[15m]) >= 3`,
      "redis-server of {{ $labels.pod }} crashed three times in 15 minutes.",
      "kubectl logs --previous of its pod.",
    ],
    [
      "RedisHaProxyWithoutMaster",
      "critical",
      "15s",
      `${of("redis_ha_proxy_following")} == 0`,
      "Proxy {{ $labels.pod }} has no master: its clients wait.",
      "redis-ha doctor; if there is a master, look at the network between this proxy and the Sentinels.",
    ],
    [
      "RedisHaProxySlow",
      "warning",
      "120s",
      `${of("redis_ha_proxy_nodejs_eventloop_lag_p99_seconds")} > 0.1`,
      "Proxy {{ $labels.pod }} is late by more than 0.1 s: it is short of CPU.",
      "Raise proxy:workers or proxy:replicas, or give it more CPU.",
    ],
    [
      "RedisHaUncertain",
      "warning",
      "0s",
      `increase(${of("redis_ha_proxy_uncertain_total")}[5m]) > 0`,
      "Clients of {{ $labels.pod }} were told that nobody knows whether their commands ran.",
      "A master was lost with commands in flight; their applications have to look. redis-ha status tells the failover.",
    ],
  ];
  return told.map(([alert, severity, wait, expr, summary, description]) => ({
    alert,
    expr,
    for: wait,
    labels: { severity },
    annotations: { summary, description, runbook: `${runbook}#${alert.toLowerCase()}` },
  }));
}
