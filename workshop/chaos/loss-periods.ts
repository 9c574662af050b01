import type { Allowance } from "./faults/fault.ts";
import type { Period } from "./measure-stalls.ts";

/** The time in which a client's acknowledged writes may be lost. */
export interface LossPeriod extends Period {
  /** Until then it may read what is undone later: a master that is cut off takes no more writes, but still answers reads. */
  readonly readsUntilMs: number;
}

/** By client, the time in which writes that it has had acknowledged may be lost; clients that may lose none are left out. */
export function lossPeriods(
  allows: Allowance,
  cutOff: ReadonlySet<string>,
  faultAtMs: number,
  recoveredMs: number,
  clients: readonly string[],
): ReadonlyMap<string, LossPeriod> {
  return new Map(
    clients.flatMap((client): [string, LossPeriod][] => {
      const { lost } = cutOff.has(client) ? (allows.cutOff ?? allows) : allows;
      if (lost === undefined) return [];
      const endMs = faultAtMs + lost.untilMs;
      const readsUntilMs = Math.max(endMs, recoveredMs);
      return [[client, { beginMs: faultAtMs + lost.fromMs, endMs, readsUntilMs }]];
    }),
  );
}

/** Whether a moment is in a period; no moment is in none. */
export function isIn(period: Period | undefined, atMs: number): boolean {
  return period !== undefined && atMs >= period.beginMs && atMs <= period.endMs;
}
