import type { Observation, RedisSeen, SentinelSeen } from "../observation.ts";

/** Something that isn't as it should be. */
export interface Finding {
  /** Name of the check, `sentinel-ghost`. */
  readonly check: string;
  /**
   * `error`: something doesn't work, or a failover would not; `warning`: it soon may not; `note`: worth knowing, and nobody has to be woken for it.
   * Only the first two count.
   */
  readonly severity: "error" | "warning" | "note";
  /** The part that it is about. */
  readonly subject: string;
  readonly finding: string;
  /** What to do. */
  readonly cure: string;
}

/** Looks for one kind of fault. Pure. */
export interface Check {
  readonly name: string;
  /** What it looks for, for people. */
  readonly summary: string;
  readonly find: (seen: Observation) => readonly Omit<Finding, "check">[];
}

/** What a check says of one part. */
export type Said = Omit<Finding, "check" | "subject">;

/** A check of each Redis that answers. */
export function ofEachRedis(
  name: string,
  summary: string,
  look: (redis: RedisSeen, seen: Observation) => Said | undefined,
): Check {
  const find: Check["find"] = (seen) =>
    seen.redis
      .filter(({ problem }) => problem === undefined)
      .flatMap((redis) => withSubject(redis.name, look(redis, seen)));
  return { name, summary, find };
}

/** A check of each Sentinel that answers. */
export function ofEachSentinel(
  name: string,
  summary: string,
  look: (sentinel: SentinelSeen, seen: Observation) => Said | undefined,
): Check {
  const find: Check["find"] = (seen) =>
    seen.sentinels
      .filter(({ problem }) => problem === undefined)
      .flatMap((sentinel) => withSubject(sentinel.name, look(sentinel, seen)));
  return { name, summary, find };
}

/** Replicas that a master needs with `redis:durability` `quorum`, as the proxies tell; 0 without it. */
export function quorumReplicas({ proxies }: Observation): number {
  return Math.max(0, ...proxies.map(({ metrics }) => metrics.redis_ha_proxy_quorum_replicas ?? 0));
}

/** What to type for a part that doesn't run. */
export function revive(name: string, { namespace }: Observation): string {
  return namespace === undefined
    ? `redis-ha local restart ${name}; its log is in the topology's folder logs`
    : `kubectl -n ${namespace} describe pod -l redis-ha/workload=${name}; kubectl -n ${namespace} logs deployment/${name} --tail=50`;
}

/** What to type to read a part's log. */
export function readLog(name: string, { namespace }: Observation): string {
  return namespace === undefined
    ? `read logs/${name}.log in the topology's folder`
    : `kubectl -n ${namespace} logs deployment/${name} --tail=50`;
}

function withSubject(subject: string, said: Said | undefined): readonly Omit<Finding, "check">[] {
  return said === undefined ? [] : [{ subject, ...said }];
}
