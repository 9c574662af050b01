import { isWrite, type Operation } from "./history.ts";

/** A period in ms of the monotonic clock. */
export interface Period {
  readonly beginMs: number;
  readonly endMs: number;
}

/** How long clients were without answers around a fault; undefined where nothing was acknowledged after it. */
export interface StallReport {
  /** Longest time between two acknowledgements, of any command, by client. */
  readonly longestStallMs: Readonly<Record<string, number>>;
  /** Longest time from sending to acknowledgement, by client. */
  readonly slowestMs: Readonly<Record<string, number>>;
  /** Longest time after the fault in which it had no write acknowledged, by client; left out where it never had. */
  readonly writeGapMs: Readonly<Record<string, number>>;
  /** Longest time after the fault in which no client at all had a write acknowledged. */
  readonly withoutWritesMs: number | undefined;
  /** From the fault to the write that ended this time. */
  readonly faultToWriteMs: number | undefined;
}

/** Measures stalls between the first command and the last answer. Pure. */
export function measureStalls(operations: readonly Operation[], faultAtMs: number): StallReport {
  const longestStallMs: Record<string, number> = {};
  const slowestMs: Record<string, number> = {};
  const writeGapMs: Record<string, number> = {};
  for (const client of new Set(operations.map((operation) => operation.client))) {
    const own = operations.filter((operation) => operation.client === client);
    const acknowledged = own.filter(({ outcome }) => outcome.kind === "acknowledged");
    const begin = least(own.map(({ sentMs }) => sentMs));
    const end = greatest(own.map(({ endedMs }) => endedMs));
    const marks = [begin, ...ends(acknowledged), end];
    longestStallMs[client] = greatest(marks.map((mark, i) => mark - (marks[i - 1] ?? mark)));
    slowestMs[client] = greatest(acknowledged.map(({ sentMs, endedMs }) => endedMs - sentMs));
    const ownGap = longestGap(own, faultAtMs);
    if (ownGap !== undefined) writeGapMs[client] = ownGap.endMs - ownGap.beginMs;
  }
  const gap = longestGap(operations, faultAtMs);
  return {
    longestStallMs,
    slowestMs,
    writeGapMs,
    withoutWritesMs: gap && gap.endMs - gap.beginMs,
    faultToWriteMs: gap && gap.endMs - faultAtMs,
  };
}

/** The longest time after the fault between two acknowledged writes of any client. */
function longestGap(operations: readonly Operation[], faultAtMs: number): Period | undefined {
  let longest: Period | undefined;
  let beginMs = faultAtMs;
  for (const endMs of ends(operations.filter((operation) => isAcknowledgedWrite(operation)))) {
    if (endMs <= faultAtMs) continue;
    if (longest === undefined || endMs - beginMs > longest.endMs - longest.beginMs)
      longest = { beginMs, endMs };
    beginMs = endMs;
  }
  return longest;
}

/**
 * From the first announcement of a new master to the first write that the new master took and a client had acknowledged.
 *
 * @param executedElsewhere ids (`client command id`) of writes that another instance executed: an old master may still
 * answer what it has got before.
 */
export function announcementToWrite(
  operations: readonly Operation[],
  announcedAtMs: number,
  executedElsewhere: ReadonlySet<string>,
): number | undefined {
  const after = operations.filter(
    (operation) =>
      isAcknowledgedWrite(operation) &&
      // An INCR can't be told from another one in the instances' own records.
      operation.command !== "INCR" &&
      operation.endedMs >= announcedAtMs &&
      !executedElsewhere.has(writeKey(operation)),
  );
  if (after.length === 0) return undefined;
  return least(after.map(({ endedMs }) => endedMs)) - announcedAtMs;
}

/** Names one write among all clients'. */
export function writeKey({ client, command, id }: Pick<Operation, "client" | "command" | "id">): string {
  return `${client} ${command} ${id}`;
}

function isAcknowledgedWrite(operation: Operation): boolean {
  return isWrite(operation) && operation.outcome.kind === "acknowledged";
}

function ends(operations: readonly Operation[]): number[] {
  return operations.map(({ endedMs }) => endedMs).sort((a, b) => a - b);
}

function least(values: readonly number[]): number {
  return values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
}

function greatest(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b), 0);
}
