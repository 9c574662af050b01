/** `maxclients` of each Redis: connections of everybody together. */
export const redisMaxclients = 20_000;

/** Connections of the other instances, the Sentinels, supervisors, probes, exporters and operators. */
const reserve = 1000;
/** Connections of one proxy that all its clients share, and its own: one for each user, database and protocol. */
const sharedOfProxy = 100;

/**
 * Connections for single clients that one proxy may open without ever being refused by Redis: a proxy that is refused can't
 * tell whether its master still is one. A rollout starts one proxy more than there are.
 */
export function mostDedicated(proxies: number): number {
  return Math.floor((redisMaxclients - reserve) / (proxies + 1)) - sharedOfProxy;
}
