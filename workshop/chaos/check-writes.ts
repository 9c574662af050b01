import type { ClientReport } from "./client-report.ts";
import { findReorderings, type PlacedWrite } from "./find-reorderings.ts";
import type { Operation } from "./history.ts";
import { answerOf, isAcknowledged, isRefused, isUnknown } from "./outcomes.ts";

/** What is wrong with the writes of one kind. */
export type Findings = Partial<
  Pick<
    ClientReport,
    "duplicates" | "lost" | "refusedButExecuted" | "reordered" | "recovered" | "phantom" | "wrong"
  >
>;

/** A counter doesn't tell which of its increments is missing or too much, only how many. */
export function checkCounter(operations: readonly Operation[], counter: number): Findings {
  const acknowledged = operations.filter(isAcknowledged);
  const unknown = operations.filter(isUnknown).length;
  const byValue = new Map<number, Operation>();
  let repeated = 0;
  for (const operation of acknowledged) {
    const value = Number(answerOf(operation));
    // The same number twice: what the first one counted was gone when the second one came.
    if (byValue.has(value)) repeated++;
    byValue.set(value, operation);
  }
  const lost = Math.max(
    acknowledged.length - counter,
    repeated,
    [...byValue.keys()].filter((v) => v > counter).length,
  );
  const tooMany = counter - acknowledged.length - unknown;
  const inOrder = [...byValue].sort(([a], [b]) => a - b).map(([, operation]) => placed(operation));
  return {
    duplicates: times(tooMany, "INCR"),
    lost: times(lost, "INCR"),
    // After a loss numbers are given again, and their order means nothing.
    reordered: lost > 0 ? [] : findReorderings(inOrder),
  };
}

function times(count: number, text: string): string[] {
  return Array.from({ length: Math.max(0, count) }, () => text);
}

/** A list keeps every push, in its order. */
export function checkList(operations: readonly Operation[], list: readonly string[]): Findings {
  const byId = new Map(operations.map((operation) => [operation.id, operation]));
  const seen = new Set<string>();
  const duplicates: string[] = [];
  const refusedButExecuted: string[] = [];
  const phantom: string[] = [];
  let recovered = 0;
  const inOrder: PlacedWrite[] = [];
  for (const id of list) {
    const operation = byId.get(id);
    if (seen.has(id)) duplicates.push(`RPUSH ${id}`);
    else if (operation === undefined) phantom.push(`RPUSH ${id}`);
    else {
      if (isUnknown(operation)) recovered++;
      if (isRefused(operation)) refusedButExecuted.push(`RPUSH ${id}`);
      inOrder.push(placed(operation));
    }
    seen.add(id);
  }
  const lost = operations.filter((operation) => isAcknowledged(operation) && !seen.has(operation.id));
  return {
    duplicates,
    lost: lost.map(({ id }) => `RPUSH ${id}`),
    refusedButExecuted,
    reordered: findReorderings(inOrder),
    recovered,
    phantom,
  };
}

/** Members have no order, and a second SADD leaves no trace but its answer. */
export function checkSet(operations: readonly Operation[], set: ReadonlySet<string>): Findings {
  const known = new Set(operations.map(({ id }) => id));
  const name = ({ id }: Pick<Operation, "id">): string => `SADD ${id}`;
  const present = operations.filter(({ id }) => set.has(id));
  return {
    duplicates: operations
      .filter((operation) => isAcknowledged(operation) && answerOf(operation) === "0")
      .map(name),
    lost: operations.filter((operation) => isAcknowledged(operation) && !set.has(operation.id)).map(name),
    refusedButExecuted: present.filter(isRefused).map(name),
    recovered: present.filter(isUnknown).length,
    phantom: [...set].filter((id) => !known.has(id)).map((id) => name({ id })),
  };
}

/** Each key is written once. */
export function checkStrings(
  operations: readonly Operation[],
  strings: ReadonlyMap<string, string>,
): Findings {
  const lost: string[] = [];
  const refusedButExecuted: string[] = [];
  const wrong: string[] = [];
  for (const operation of operations) {
    const { id } = operation;
    const value = strings.get(id);
    if (value === undefined && isAcknowledged(operation)) lost.push(`SET ${id}`);
    if (value !== undefined && isRefused(operation)) refusedButExecuted.push(`SET ${id}`);
    if (value !== undefined && value !== id) wrong.push(`SET ${id} holds '${value}'`);
  }
  return { lost, refusedButExecuted, wrong };
}

function placed(operation: Operation): PlacedWrite {
  const acknowledgedMs = isAcknowledged(operation) ? operation.endedMs : Number.POSITIVE_INFINITY;
  return { id: `${operation.command} ${operation.id}`, sentMs: operation.sentMs, acknowledgedMs };
}
