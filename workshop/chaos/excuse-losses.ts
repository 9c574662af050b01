import type { Operation } from "./history.ts";
import { isIn } from "./loss-periods.ts";
import type { Period } from "./measure-stalls.ts";

/**
 * Sorts out those lost writes that were acknowledged in the time in which the fault allows it. An increment has no name: as many
 * of them are excused as were acknowledged then.
 *
 * @param lost `RPUSH 17`, `INCR`.
 */
export function excuseLosses(
  lost: readonly string[],
  operations: readonly Operation[],
  mayLose: Period | undefined,
): { readonly lost: readonly string[]; readonly lostAsAllowed: readonly string[] } {
  if (mayLose === undefined) return { lost, lostAsAllowed: [] };
  const excuses = new Map<string, number>();
  for (const { command, id, endedMs, outcome } of operations) {
    if (outcome.kind !== "acknowledged" || !isIn(mayLose, endedMs)) continue;
    const name = command === "INCR" ? "INCR" : `${command} ${id}`;
    excuses.set(name, (excuses.get(name) ?? 0) + 1);
  }
  const notAllowed: string[] = [];
  const lostAsAllowed: string[] = [];
  for (const name of lost) {
    const left = excuses.get(name) ?? 0;
    excuses.set(name, left - 1);
    (left > 0 ? lostAsAllowed : notAllowed).push(name);
  }
  return { lost: notAllowed, lostAsAllowed };
}
