import type { Part, PartKind, Site } from "../../components/topology/site.ts";
import { describeTopology, type Topology } from "../../components/topology/topology.ts";
import type { Workload } from "../../components/topology/workload.ts";
import { resolveSettings, type Settings } from "../../settings/resolve-settings.ts";

/** The settings of a local topology. @throws {SettingsError} with every mistake. */
export function resolveLocally(configuration: Readonly<Record<string, string>>): Settings {
  // Images and volumes have no meaning here: nothing of them has to be configured.
  return resolveSettings({ "images:push": "false", ...configuration }, "local");
}

/** On a cluster all proxies share one endpoint. Here each has ports of its own, and so a workload. */
export function describeProxies(
  { proxy }: Topology,
  settings: Settings,
  site: Site,
  count: number,
): readonly Workload[] {
  const further = Array.from({ length: count - 1 }, (_, i): Workload => {
    const part: Part = { kind: "proxy", index: i + 2 };
    const own = (asked: Part): Part => (asked.kind === "proxy" ? part : asked);
    const described = describeTopology(settings, {
      ...site,
      address: (asked) => site.address(own(asked)),
      bindAddress: (asked) => site.bindAddress(own(asked)),
      adminPort: (asked) => site.adminPort(own(asked)),
      proxySentinelPort: site.address(part).port + 1,
    }).proxy;
    return { ...described, part, name: `${described.name}-${part.index}` };
  });
  return [proxy, ...further];
}

/** The parts that a configuration asks for. */
export function partsOf(configuration: Readonly<Record<string, string>>, proxies: number): Part[] {
  const { redis, sentinel } = resolveLocally(configuration);
  const parts = (kind: PartKind, count: number): Part[] =>
    Array.from({ length: count }, (_, i) => ({ kind, index: i + 1 }));
  return [
    ...parts("redis", redis.instances),
    ...parts("sentinel", sentinel.count),
    ...parts("proxy", proxies),
  ];
}
