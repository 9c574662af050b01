import type { AlertScope } from "../../components/monitoring/alert-rules.ts";

/** The set of the cases. */
export const scope: AlertScope = { namespace: "redis-ha-dev", name: "redis-ha", instances: 3, sentinels: 3 };

/** A series and its values, 5 s apart, in promtool's words. */
export type Series = readonly [series: string, values: string];

/** One alert, and what makes it fire. */
export interface AlertCase {
  readonly alert: string;
  /** What differs from calm, from the first moment on. */
  readonly series: readonly Series[];
  /** Of the alert that fires. */
  readonly labels: Readonly<Record<string, string>>;
  /** It fires then, and not yet 10 s before. */
  readonly atSeconds: number;
  /** Its `for`, s. */
  readonly wait: number;
  /** Others that are true in the same case. */
  readonly alsoFiring?: readonly string[];
}

const common = 'namespace="redis-ha-dev",app_kubernetes_io_name="redis-ha"';
const pods = ["redis-instance-1", "redis-instance-2", "redis-instance-3"] as const;
const proxies = ["redis-sentinel-proxy-1", "redis-sentinel-proxy-2"] as const;
const sentinels = ["s1:26379", "s2:26379", "s3:26379"] as const;
const [leader, heir] = pods;

/** So long, at 5 s each. */
const samples = 240;
const always = (value: number): string => `${value}+0x${samples}`;

function name(metric: string, pod: string, more = ""): string {
  return `${metric}{${common},pod="${pod}"${more}}`;
}

function eachPod(metric: string, valueFor: (pod: string) => number | string, more = ""): Series[] {
  return pods.map((pod) => {
    const value = valueFor(pod);
    return [name(metric, pod, more), typeof value === "string" ? value : always(value)];
  });
}

/** What every instance says of every Sentinel. */
function eachView(metric: string, valueFor: (sentinel: string) => number): Series[] {
  return sentinels.flatMap((sentinel) =>
    eachPod(`redis_ha_sentinel_${metric}`, () => valueFor(sentinel), `,sentinel="${sentinel}"`),
  );
}

/** While another Redis' data are taken over: it is the master, and nobody here may be. */
export const movingSeries: readonly Series[] = [
  ...eachPod("redis_ha_leads", () => 0),
  ...eachPod("redis_ha_promotable", () => 0),
  ...eachPod("redis_ha_moving", () => 1),
];

/** All that the rules read, as it is when nothing is wrong. */
export const calmSeries: readonly Series[] = [
  ...eachPod("redis_up", () => 1),
  ...eachPod("redis_ha_leads", (pod) => (pod === leader ? 1 : 0)),
  ...eachPod("redis_ha_promotable", (pod) => (pod === leader ? 0 : 1)),
  ...eachView("up", () => 1),
  ...eachView("agrees", () => 1),
  ...eachView("known_sentinels", () => 3),
  ...eachPod("redis_ha_sentinels_majority", () => 1),
  ...eachPod("redis_aof_last_write_status", () => 1),
  ...eachPod("redis_ha_volume_free_bytes", () => 600),
  ...eachPod("redis_ha_volume_bytes", () => 1000),
  ...eachPod("redis_memory_used_bytes", () => 50),
  ...eachPod("redis_memory_max_bytes", () => 100),
  ...pods.map((pod): Series => {
    const role = pod === leader ? "master" : "slave";
    return [name("redis_instance_info", pod, `,role="${role}",maxmemory_policy="noeviction"`), always(1)];
  }),
  ...["r2:6379", "r3:6379"].map(
    (replica): Series => [
      name("redis_ha_replica_behind_bytes", leader, `,replica="${replica}"`),
      always(1000),
    ],
  ),
  ...eachPod("redis_ha_certificate_end_timestamp_seconds", () => 90 * 86_400),
  ...eachPod("redis_ha_server_crashes_total", () => 2),
  ...eachPod("redis_ha_backup_due_timestamp_seconds", () => 86_400),
  ...eachPod("redis_ha_backup_failing", () => 0),
  ...eachPod("redis_ha_backup_verified", () => 1),
  ...proxies.flatMap((pod): Series[] => [
    [name("redis_ha_proxy_following", pod), always(1)],
    [name("redis_ha_proxy_nodejs_eventloop_lag_p99_seconds", pod), always(0.02)],
    [name("redis_ha_proxy_uncertain_total", pod), always(7)],
  ]),
];

const ofPod = (pod: string) => ({
  namespace: "redis-ha-dev",
  app_kubernetes_io_name: "redis-ha",
  pod,
});
const away = (metrics: readonly string[], pod: string): Series[] =>
  metrics.map((metric) => [name(metric, pod), `_x${samples}`]);
const ofSentinel = (metric: string, value: number): Series[] =>
  eachPod(`redis_ha_sentinel_${metric}`, () => value, `,sentinel="${sentinels[1]}"`);

/** Each alert of the rules. */
export const alertCases: readonly AlertCase[] = [
  {
    alert: "RedisHaBackupTooOld",
    series: eachPod("redis_ha_backup_due_timestamp_seconds", () => 100),
    labels: {},
    atSeconds: 410,
    wait: 300,
  },
  {
    alert: "RedisHaBackupFailed",
    series: eachPod("redis_ha_backup_failing", (pod) => (pod === heir ? 1 : 0)),
    labels: {},
    atSeconds: 65,
    wait: 60,
  },
  {
    alert: "RedisHaNoMaster",
    series: eachPod("redis_ha_leads", () => 0),
    labels: {},
    atSeconds: 20,
    wait: 15,
  },
  {
    // Its pod is gone, and with it all that it told.
    alert: "RedisHaInstanceMissing",
    series: away(["redis_up", "redis_ha_promotable", "redis_ha_leads"], pods[2]),
    labels: {},
    atSeconds: 25,
    wait: 20,
  },
  {
    alert: "RedisHaNobodyPromotable",
    series: eachPod("redis_ha_promotable", () => 0),
    labels: {},
    atSeconds: 20,
    wait: 15,
  },
  {
    alert: "RedisHaSentinelMissing",
    series: ofSentinel("up", 0),
    labels: { sentinel: sentinels[1] },
    atSeconds: 25,
    wait: 20,
  },
  {
    // Then nobody is agreed on, and no Sentinel agrees; the master goes on.
    alert: "RedisHaNoMajority",
    series: [
      ...eachPod("redis_ha_sentinels_majority", () => 0),
      ...eachPod("redis_ha_leads", () => 0),
      ...eachView("agrees", () => 0),
    ],
    labels: {},
    atSeconds: 20,
    wait: 15,
  },
  {
    alert: "RedisHaSentinelDisagrees",
    series: ofSentinel("agrees", 0),
    labels: { sentinel: sentinels[1] },
    atSeconds: 20,
    wait: 15,
  },
  {
    alert: "RedisHaSentinelGhost",
    series: ofSentinel("known_sentinels", 4),
    labels: { sentinel: sentinels[1] },
    atSeconds: 65,
    wait: 60,
  },
  {
    alert: "RedisHaAppendOnlyFile",
    series: [[name("redis_aof_last_write_status", heir), `1 1 ${always(0)}`]],
    labels: ofPod(heir),
    atSeconds: 20,
    wait: 5,
  },
  {
    alert: "RedisHaVolumeNearlyFull",
    series: [[name("redis_ha_volume_free_bytes", heir), always(99)]],
    labels: ofPod(heir),
    atSeconds: 65,
    wait: 60,
  },
  {
    alert: "RedisHaMemoryNearlyFull",
    series: [[name("redis_memory_used_bytes", heir), always(91)]],
    labels: ofPod(heir),
    atSeconds: 65,
    wait: 60,
  },
  {
    alert: "RedisHaReplicaBehind",
    series: [[name("redis_ha_replica_behind_bytes", leader, ',replica="r2:6379"'), always(17 * 2 ** 20)]],
    labels: { ...ofPod(leader), replica: "r2:6379" },
    atSeconds: 25,
    wait: 20,
  },
  {
    alert: "RedisHaCertificateEnds",
    series: [[name("redis_ha_certificate_end_timestamp_seconds", heir), always(13 * 86_400)]],
    labels: ofPod(heir),
    atSeconds: 65,
    wait: 60,
  },
  {
    // Two within the time are none yet; an uptime that begins anew by a planned restart is none at all.
    alert: "RedisHaCrashLoop",
    series: [
      [
        name("redis_ha_server_crashes_total", heir),
        `${always(2).replace(/\d+$/, "4")} 3 3 4 4 4 4 ${always(5)}`,
      ],
    ],
    labels: ofPod(heir),
    atSeconds: 60,
    wait: 1,
  },
  {
    alert: "RedisHaProxyWithoutMaster",
    series: [[name("redis_ha_proxy_following", proxies[1]), always(0)]],
    labels: ofPod(proxies[1]),
    atSeconds: 20,
    wait: 15,
  },
  {
    alert: "RedisHaProxySlow",
    series: [[name("redis_ha_proxy_nodejs_eventloop_lag_p99_seconds", proxies[1]), always(0.15)]],
    labels: ofPod(proxies[1]),
    atSeconds: 125,
    wait: 120,
  },
  {
    alert: "RedisHaUncertain",
    series: [[name("redis_ha_proxy_uncertain_total", proxies[1]), `7 7 7 7 ${always(9)}`]],
    labels: ofPod(proxies[1]),
    atSeconds: 25,
    wait: 1,
  },
];
