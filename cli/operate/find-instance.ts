import type { Observation, RedisSeen } from "./observation.ts";

/** Finds an instance by its number or name; a sentence when there is none. */
export function findInstance({ redis }: Observation, wanted: string): RedisSeen | string {
  const names = redis.map(({ name }) => name).join(", ");
  return (
    redis.find(({ name }) => name === wanted || name.endsWith(`-${wanted}`)) ??
    `there is no instance '${wanted}': use one of ${names}`
  );
}
