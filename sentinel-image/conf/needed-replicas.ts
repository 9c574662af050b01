/**
 * How many replicas a master needs to take writes. One keeps a master that is cut off from taking writes that nobody else gets. Of two
 * instances one would be no use without the other, so those take writes alone.
 *
 * @param instances of the stack.
 * @param quorum `redis:durability` `quorum`: with the master they are a majority.
 */
export function neededReplicas(instances: number, quorum: boolean): number {
  if (quorum) return Math.floor(instances / 2);
  return instances > 2 ? 1 : 0;
}
