/** `maxclients` of each Redis: connections of everybody together. */
export const redisMaxclients = 20_000;

/** Connections of the other instances, the Sentinels, supervisors, probes, exporters and operators. */
const reserve = 1000;
/** Connections of one proxy that all its clients share, and its own: one for each user, database and protocol. */
const sharedOfProxy = 100;

/**
 * What a connection with a single client needs of Redis until it has been idle for some seconds, bytes. Measured with Redis 7.0.15: 24 349 for
 * one that blocks, 31 032 for one that is subscribed; 2 400 to 2 700 ten seconds later.
 */
const freshConnectionBytes = 32 * 2 ** 10;

/** Connections for single clients that one proxy may open without filling Redis' memory when all of them come at once, as after a failover. */
export function mostDedicatedIn(redisBytes: number, proxies: number): number {
  return Math.floor(redisBytes / (freshConnectionBytes * proxies));
}

/**
 * Connections for single clients that one proxy may open without ever being refused by Redis: a proxy that is refused can't
 * tell whether its master still is one. A rollout starts one proxy more than there are.
 */
export function mostDedicated(proxies: number): number {
  return Math.floor((redisMaxclients - reserve) / (proxies + 1)) - sharedOfProxy;
}
