import { isWrite, type Operation } from "./history.ts";

/** How many writes were acknowledged in each piece of time around a fault. */
export interface Timeline {
  /** When the first piece begins, ms after the fault. */
  readonly fromMs: number;
  readonly pieceMs: number;
  readonly acknowledged: readonly number[];
}

const fromMs = -500;
const pieceMs = 50;
/** No fault's aftermath is longer. */
const untilMs = 30_000;

/** Counts the acknowledged writes around a fault. Pure. */
export function countOverTime(operations: readonly Operation[], faultAtMs: number): Timeline {
  const acknowledged: number[] = [];
  for (const operation of operations) {
    const atMs = operation.endedMs - faultAtMs;
    if (!isWrite(operation) || operation.outcome.kind !== "acknowledged") continue;
    if (atMs < fromMs || atMs >= untilMs) continue;
    const piece = Math.floor((atMs - fromMs) / pieceMs);
    while (acknowledged.length <= piece) acknowledged.push(0);
    acknowledged[piece] = (acknowledged[piece] ?? 0) + 1;
  }
  return { fromMs, pieceMs, acknowledged };
}
