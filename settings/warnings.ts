import type { Settings } from "./resolve-settings.ts";

/**
 * What a stack with these settings doesn't promise although it is called highly available: nothing is wrong with them, and whoever set
 * them should have read it once. As sentences, for every preview.
 */
export function warningsOf({ redis, proxy }: Pick<Settings, "redis" | "proxy">): string[] {
  return [
    ...(redis.instances === 1
      ? [
          "'redis:instances' is 1: nobody takes over. While that pod is away the proxies hold commands for 'proxy:holdTimeoutMs', then answer errors; a lost volume is lost data. For development.",
        ]
      : []),
    ...(redis.instances === 2
      ? [
          "'redis:instances' is 2: after a failover there is no second copy until the other instance is back, and a master that is cut off goes on taking writes of those who reach it, which are lost then. For development; use 3.",
        ]
      : []),
    ...(proxy.replicas === 1
      ? [
          "'proxy:replicas' is 1: all clients lose their connections when that proxy's pod or node goes away. For development; use 2.",
        ]
      : []),
    ...(redis.persistence === "off"
      ? [
          "'redis:persistence' is off: data are in memory alone. They outlive any instance as long as one that is in sync runs; when all are away at once, Redis comes back empty.",
        ]
      : []),
  ];
}
