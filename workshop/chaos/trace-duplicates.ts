import type { Execution } from "./find-stale-writes.ts";
import { type Disconnect, isOwnTimeout, type Operation } from "./history.ts";
import { writeKey } from "./measure-stalls.ts";

/**
 * For each write that is known to have been executed more than once: when the caller sent it, when each instance executed
 * it, and when its client gave up connections meanwhile. A client that gives up sends again by itself; whether the first
 * execution came before or after that tells whose the second one is. Times are ms after the fault.
 */
export function traceDuplicates(
  executions: readonly Execution[],
  {
    operations,
    disconnects,
  }: { readonly operations: readonly Operation[]; readonly disconnects: readonly Disconnect[] },
  faultAtMs: number,
): string[] {
  const after = (atMs: number): string => (atMs - faultAtMs).toFixed(1);
  // Increments have no names of their own.
  const byKey = Map.groupBy(
    executions.filter(({ command }) => command !== "INCR"),
    writeKey,
  );
  return [...byKey].flatMap(([key, times]) => {
    if (times.length < 2) return [];
    const operation = operations.find((candidate) => writeKey(candidate) === key);
    if (operation === undefined) return [];
    const executed = times.map(({ atMs, instance }) => `${after(atMs)} on ${instance.port}`).join(", ");
    const gaveUp = disconnects
      .filter(({ client }) => client === operation.client)
      .map((disconnect) => `${after(disconnect.atMs)}${isOwnTimeout(disconnect) ? "" : " (closed)"}`)
      .join(", ");
    const told = `sent ${after(operation.sentMs)}, ended ${after(operation.endedMs)} (${operation.outcome.kind})`;
    return [`${key}: ${told}; executed ${executed}; connections given up: ${gaveUp || "none"}`];
  });
}
