import { isUnderWay } from "../../../sentinel-image/move/move-note.ts";
import type { Observation } from "../observation.ts";

/** The `address:port` of the Redis whose data are being taken over, by what the instances' volumes say; undefined: none is. */
export function movingFrom({ redis }: Pick<Observation, "redis">): string | undefined {
  return redis.find(({ machine }) => isUnderWay(machine.move))?.machine.move?.source;
}
