import type { Durability } from "./confirmation-gate.ts";

/** When some replica was too slow, those that must have a write are enough for so long, ms: waiting for all once in this time costs little. */
const incompleteMs = 2000;

/** How writes of all connections to a master are confirmed: by all replicas, as long as all are quick. */
export function patient(
  {
    timeoutMs,
    observe,
    needed,
    replicas,
  }: Pick<Durability, "timeoutMs" | "observe" | "needed"> & { readonly replicas: number },
  asksAhead: () => boolean,
): Durability {
  let incompleteUntil = Number.NEGATIVE_INFINITY;
  return {
    timeoutMs,
    observe,
    needed,
    asksAhead,
    wanted: () => (performance.now() < incompleteUntil ? needed : replicas),
    missed: () => {
      incompleteUntil = performance.now() + incompleteMs;
    },
  };
}
