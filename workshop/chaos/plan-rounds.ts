import type { Fault } from "./faults/fault.ts";
import { type Random, shuffle } from "./seeded-random.ts";

/**
 * The faults of a run, in order: every fault once in a random order, again and again until there are as many failovers as
 * wanted. Where no fault is surely a failover, their number counts.
 *
 * @param rounds so many faults, however many failovers they are.
 */
export function planRounds<F extends Pick<Fault, "failover">>(
  faults: readonly F[],
  failovers: number,
  random: Random,
  rounds?: number,
): F[] {
  const isFailover = ({ failover }: Pick<F, "failover">): boolean => failover === true;
  const counts = rounds === undefined && faults.some(isFailover) ? isFailover : () => true;
  const plan: F[] = [];
  let done = 0;
  while (faults.length > 0) {
    for (const fault of shuffle(faults, random)) {
      if (done >= (rounds ?? failovers)) return plan;
      plan.push(fault);
      if (counts(fault)) done++;
    }
  }
  return plan;
}
