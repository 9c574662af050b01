import { versionOf } from "../../../runtime/engine.ts";
import { warnOfVersion } from "../../../sentinel-image/start/redis-version-floor.ts";
import type { Observation, ProxySeen } from "../observation.ts";
import { type Check, ofEachRedis, revive, type Said } from "./finding.ts";

/** The endpoint, and what is worth knowing. */
export const proxyChecks: readonly Check[] = [
  {
    name: "proxy-silent",
    summary: "a proxy that isn't ready",
    find: (seen) =>
      seen.proxies.flatMap(({ name, problem }) =>
        problem === undefined
          ? []
          : [
              {
                subject: name,
                severity: "error" as const,
                finding: `it isn't ready: ${problem}`,
                cure:
                  seen.namespace === undefined ? revive(name, seen) : revive("redis-sentinel-proxy", seen),
              },
            ],
      ),
  },
  ofEachProxy("proxy-holding", "a proxy that has no master", ({ metrics }) =>
    metrics.redis_ha_proxy_following === 0
      ? {
          severity: "error",
          finding: `it has no master, ${metrics.redis_ha_proxy_held_clients ?? "?"} clients wait`,
          cure: "mend what stands above this line first; after proxy:holdTimeoutMs clients get LOADING",
        }
      : undefined,
  ),
  ofEachProxy(
    "proxy-sentinels",
    "a proxy that doesn't reach all Sentinels that answer",
    ({ metrics }, { sentinels }) => {
      const reached = metrics.redis_ha_proxy_sentinels_reachable;
      const answering = sentinels.filter(({ problem }) => problem === undefined).length;
      if (reached === undefined || reached >= answering) return undefined;
      return {
        severity: "warning",
        finding: `it reaches ${reached} Sentinels, and ${answering} answer here`,
        cure: "look at the network between its node and the Sentinels, and at the network policies",
      };
    },
  ),
  ofEachProxy("proxy-slow", "a proxy that is short of CPU", ({ metrics }) => {
    const lag = metrics.redis_ha_proxy_nodejs_eventloop_lag_p99_seconds ?? 0;
    if (lag < 0.1) return undefined;
    return {
      severity: "note",
      finding: `it was ${Math.round(lag * 1000)} ms late at times: it is short of CPU`,
      cure: "give its node more CPU, or raise proxy:workers or proxy:replicas",
    };
  }),
  ofEachRedis("version-floor", "a Redis with known vulnerabilities", ({ info }) => {
    const { engine, version } = versionOf(info) ?? {};
    const warning = warnOfVersion(`${engine} server v=${version}`);
    return warning === undefined
      ? undefined
      : { severity: "note", finding: warning, cure: "pulumi config set images:redisBase" };
  }),
];

function ofEachProxy(
  name: string,
  summary: string,
  look: (proxy: ProxySeen, seen: Observation) => Said | undefined,
): Check {
  const find: Check["find"] = (seen) =>
    seen.proxies
      .filter(({ problem }) => problem === undefined)
      .flatMap((proxy) => {
        const said = look(proxy, seen);
        return said === undefined ? [] : [{ subject: proxy.name, ...said }];
      });
  return { name, summary, find };
}
