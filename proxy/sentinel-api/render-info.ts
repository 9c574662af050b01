import type { SentinelApiServerFacts, SentinelApiView } from "./sentinel-api-view.ts";

/**
 * The text of `INFO`.
 *
 * @param names sections in lower case; none, `all`, `default` or `everything` mean every one. Unknown ones give nothing.
 */
export function renderInfo(
  names: readonly string[],
  view: SentinelApiView,
  facts: SentinelApiServerFacts,
): string {
  const sections: Record<string, [string, unknown][]> = {
    Server: [
      ["redis_version", facts.redisVersion],
      ["redis_mode", "sentinel"],
      ["arch_bits", 64],
      ["process_id", facts.processId],
      ["run_id", view.myId],
      ["tcp_port", facts.tcpPort],
      ["uptime_in_seconds", facts.uptimeSeconds],
      ["uptime_in_days", Math.floor(facts.uptimeSeconds / 86_400)],
    ],
    Clients: [
      ["connected_clients", facts.connectedClients],
      ["maxclients", facts.maxClients],
    ],
    Sentinel: [
      ["sentinel_masters", 1],
      ["sentinel_tilt", 0],
      ["sentinel_tilt_since_seconds", -1],
      ["sentinel_running_scripts", 0],
      ["sentinel_scripts_queue_length", 0],
      ["sentinel_simulate_failure_flags", 0],
      ["master0", masterLine(view)],
    ],
  };
  const wanted = new Set(names);
  const all = wanted.size === 0 || ["all", "default", "everything"].some((name) => wanted.has(name));
  return Object.entries(sections)
    .filter(([title]) => all || wanted.has(title.toLowerCase()))
    .map(([title, fields]) => [`# ${title}`, ...fields.map(([name, value]) => `${name}:${value}`), ""])
    .map((lines) => lines.join("\r\n"))
    .join("\r\n");
}

function masterLine({
  masterName,
  announced,
  following,
  replicaCount,
  sentinelCount,
}: SentinelApiView): string {
  const address = `${announced.host}:${announced.port}`;
  return `name=${masterName},status=${following ? "ok" : "odown"},address=${address},slaves=${replicaCount},sentinels=${sentinelCount}`;
}
