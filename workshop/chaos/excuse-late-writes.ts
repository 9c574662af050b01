import type { Execution } from "./find-stale-writes.ts";
import type { Operation } from "./history.ts";
import { writeKey } from "./measure-stalls.ts";

/** How long after a freeze a proxy may send on, ms: it notices by 300 ms of silence, and looks every 100 ms. */
export const unnoticedMs = 500;

/**
 * Sorts out those stale writes that nobody could prevent: they lay in the socket of a master that froze, which executes
 * them when it wakes up, whether or not their connection was closed or reset meanwhile. They must have been sent before the
 * freeze could be noticed, and the client must have been told that nobody knows what became of them.
 */
export function excuseLateWrites(
  staleWrites: readonly Execution[],
  operations: readonly Operation[],
  faultAtMs: number,
): { readonly stale: readonly Execution[]; readonly late: readonly Execution[] } {
  // Several INCRs of a client have the same name: each excuses one.
  const excuses = new Map<string, number>();
  for (const operation of operations) {
    if (operation.outcome.kind === "acknowledged" || operation.sentMs > faultAtMs + unnoticedMs) continue;
    const key = nameOf(operation);
    excuses.set(key, (excuses.get(key) ?? 0) + 1);
  }
  const stale: Execution[] = [];
  const late: Execution[] = [];
  for (const write of staleWrites) {
    const left = excuses.get(nameOf(write)) ?? 0;
    excuses.set(nameOf(write), left - 1);
    (left > 0 ? late : stale).push(write);
  }
  return { stale, late };
}

function nameOf({ client, command, id }: Pick<Operation, "client" | "command" | "id">): string {
  return writeKey({ client, command, id: command === "INCR" ? "" : id });
}
