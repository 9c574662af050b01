import type { SentinelApiView } from "./sentinel-api-view.ts";

/** How often a Sentinel pings a master and asks for its INFO: the age of what it knows is below that. */
const [pingAgeMs, infoAgeMs] = [100, 1000];

/**
 * The fields of `SENTINEL MASTER`, with the names and the order of a real Sentinel; all values are texts there.
 * Like there, a master that is down has two fields more.
 */
export function describeMaster(view: SentinelApiView): ReadonlyMap<string, string> {
  const { announced, following, unchangedForMs } = view;
  const silentMs = following ? pingAgeMs : unchangedForMs + view.downAfterMs;
  const down: [string, unknown][] = [
    ["s-down-time", unchangedForMs],
    ["o-down-time", unchangedForMs],
  ];
  const fields: [string, unknown][] = [
    ["name", view.masterName],
    ["ip", announced.host],
    ["port", announced.port],
    ["runid", view.runId],
    ["flags", following ? "master" : "s_down,o_down,master,disconnected"],
    ["link-pending-commands", 0],
    ["link-refcount", 1],
    ["last-ping-sent", following ? 0 : silentMs],
    ["last-ok-ping-reply", silentMs],
    ["last-ping-reply", silentMs],
    ...(following ? [] : down),
    ["down-after-milliseconds", view.downAfterMs],
    ["info-refresh", following ? infoAgeMs : silentMs],
    ["role-reported", "master"],
    ["role-reported-time", unchangedForMs],
    ["config-epoch", view.configEpoch],
    ["num-slaves", view.replicaCount],
    ["num-other-sentinels", view.sentinelCount - 1],
    ["quorum", view.quorum],
    ["failover-timeout", view.failoverTimeoutMs],
    ["parallel-syncs", view.parallelSyncs],
  ];
  return new Map(fields.map(([name, value]) => [name, String(value)]));
}
