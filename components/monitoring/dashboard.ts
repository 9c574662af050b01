/** One query of a panel, and what its curves are called. */
export interface DashboardQuery {
  readonly expr: string;
  readonly legend: string;
}

interface PanelSpec {
  readonly title: string;
  /** What it tells, and when to worry. */
  readonly about: string;
  readonly kind: "stat" | "timeseries";
  readonly unit: string;
  readonly queries: readonly DashboardQuery[];
}

/** Which set is shown: chosen above the dashboard. */
const set = 'namespace="$namespace",app_kubernetes_io_name="$set"';
const of = (metric: string, more = ""): string => `${metric}{${set}${more}}`;
const perSecond = (metric: string, more = ""): string => `rate(${of(metric, more)}[$__rate_interval])`;

function stat(title: string, about: string, expr: string, unit = "none"): PanelSpec {
  return { title, about, kind: "stat", unit, queries: [{ expr, legend: title }] };
}

function curve(
  title: string,
  about: string,
  unit: string,
  ...queries: readonly (readonly [expr: string, legend: string])[]
): PanelSpec {
  const all = queries.map(([expr, legend]) => ({ expr, legend }));
  return { title, about, kind: "timeseries", unit, queries: all };
}

const panels: readonly PanelSpec[] = [
  stat("Masters", "1, but for the seconds of a failover.", `sum(${of("redis_ha_leads")})`),
  stat(
    "Could take over",
    "Replicas in sync that the Sentinels may promote.",
    `sum(${of("redis_ha_promotable")})`,
  ),
  stat(
    "Sentinels missing",
    "0. Without a majority no failover is possible.",
    `max(${of("redis_ha_sentinels_missing")})`,
  ),
  stat("Clients", "Connections to all proxies.", `sum(${of("redis_ha_proxy_clients")})`),
  stat("Clients that wait", "For a master.", `sum(${of("redis_ha_proxy_held_clients")})`),
  stat(
    "UNCERTAIN, last hour",
    "Commands of which nobody knows whether they ran.",
    `sum(increase(${of("redis_ha_proxy_uncertain_total")}[1h]))`,
  ),
  curve("Who leads", "A step is a change of the master.", "none", [of("redis_ha_leads"), "{{pod}}"]),
  curve("Commands per second", "Executed by each Redis, replication among them.", "ops", [
    perSecond("redis_commands_processed_total"),
    "{{pod}}",
  ]),
  curve("How long commands waited for a master", "Of those that waited, 99 % not longer than that.", "s", [
    `histogram_quantile(0.99, sum by (le) (${perSecond("redis_ha_proxy_hold_seconds_bucket")}))`,
    "99 %",
  ]),
  curve("Behind the master", "So much would be lost with it.", "bytes", [
    of("redis_ha_replica_behind_bytes"),
    "{{replica}}",
  ]),
  curve("Age of each copy", "How old the newest write of the master is that it has.", "s", [
    of("redis_ha_heartbeat_age_seconds"),
    "{{pod}}",
  ]),
  curve("Memory", "Used, of maxmemory.", "percentunit", [
    `${of("redis_memory_used_bytes")} / (${of("redis_memory_max_bytes")} > 0)`,
    "{{pod}}",
  ]),
  curve("Volume", "Used. A rewrite of the append-only file needs room for a second copy.", "percentunit", [
    `1 - ${of("redis_ha_volume_free_bytes")} / ${of("redis_ha_volume_bytes")}`,
    "{{pod}}",
  ]),
  curve(
    "Clients of each proxy",
    "And its connections to the master.",
    "none",
    [of("redis_ha_proxy_clients"), "{{pod}} clients"],
    [of("redis_ha_proxy_upstreams"), "{{pod}} to the master"],
  ),
  curve("Delay of the proxies", "What a proxy that is short of CPU adds, 99 %.", "s", [
    of("redis_ha_proxy_nodejs_eventloop_lag_p99_seconds"),
    "{{pod}}",
  ]),
  curve(
    "CPU",
    "Of redis-server and of the proxies, in cores.",
    "none",
    [`${perSecond("redis_cpu_user_seconds_total")} + ${perSecond("redis_cpu_sys_seconds_total")}`, "{{pod}}"],
    [perSecond("redis_ha_proxy_process_cpu_seconds_total"), "{{pod}}"],
  ),
  curve("Sentinels that agree", "1: it names the master that most name.", "none", [
    `max by (sentinel) (${of("redis_ha_sentinel_agrees")})`,
    "{{sentinel}}",
  ]),
  curve(
    "Changes of the master, crashes",
    "In the last hour.",
    "none",
    [`max(increase(${of("redis_ha_proxy_failovers_total")}[1h]))`, "changes"],
    [`sum(increase(${of("redis_ha_server_crashes_total")}[1h]))`, "crashes"],
  ),
];

/** All queries of the dashboard. */
export const dashboardQueries: readonly DashboardQuery[] = panels.flatMap(({ queries }) => queries);

const [columns, statWidth, curveWidth] = [24, 4, 8];

/** The dashboard in Grafana's classic form (schema 39, which Grafana 10 and later read). */
export function grafanaDashboard(): object {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana fills it in.
  const datasource = { type: "prometheus", uid: "${datasource}" };
  let [x, y, rowHeight] = [0, 0, 0];
  const placed = panels.map(({ title, about, kind, unit, queries }, i) => {
    const [w, h] = kind === "stat" ? [statWidth, 4] : [curveWidth, 8];
    if (x + w > columns || (rowHeight !== 0 && rowHeight !== h)) [x, y] = [0, y + rowHeight];
    const gridPos = { x, y, w, h };
    [x, rowHeight] = [x + w, h];
    return {
      id: i + 1,
      type: kind,
      title,
      description: about,
      datasource,
      gridPos,
      fieldConfig: { defaults: { unit, ...(kind === "timeseries" ? { min: 0 } : {}) }, overrides: [] },
      options:
        kind === "stat" ? { reduceOptions: { calcs: ["lastNotNull"], fields: "", values: false } } : {},
      targets: queries.map(({ expr, legend }, n) => ({
        refId: String.fromCharCode("A".charCodeAt(0) + n),
        datasource,
        expr,
        legendFormat: legend,
      })),
    };
  });
  const choice = (name: string, label: string, query: string): object => ({
    ...{ type: "query", name, label, datasource, definition: query, refresh: 2, sort: 1 },
    query: { query, refId: name },
  });
  return {
    uid: "redis-ha",
    title: "redis-ha",
    tags: ["redis", "redis-ha"],
    schemaVersion: 39,
    editable: true,
    refresh: "10s",
    time: { from: "now-1h", to: "now" },
    timezone: "browser",
    templating: {
      list: [
        { type: "datasource", name: "datasource", label: "Prometheus", query: "prometheus" },
        choice("namespace", "Namespace", "label_values(redis_ha_leads, namespace)"),
        choice("set", "Set", 'label_values(redis_ha_leads{namespace="$namespace"}, app_kubernetes_io_name)'),
      ],
    },
    panels: placed,
  };
}
