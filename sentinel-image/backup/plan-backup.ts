/** What decides whether this instance takes a backup now. Times in ms since 1970. */
export interface BackupObservation {
  readonly nowMs: number;
  /** The last time at which the schedule wanted one; undefined: never yet. */
  readonly dueMs: number | undefined;
  /** When the newest backup was made; undefined: there is none. */
  readonly newestMs: number | undefined;
  /** When this supervisor began to look. */
  readonly sinceMs: number;
  /** Place among the instances that don't lead, the same on all of them; undefined: it leads, or isn't in sync. */
  readonly rank: number | undefined;
  /** Another instance is at it. */
  readonly othersAtIt: boolean;
  /** Failures in a row for this time, and when the last was. */
  readonly failures: number;
  readonly failedMs: number | undefined;
}

/** The next in turn waits so long for those before it, which may not be in sync. */
export const turnMs = 20_000;

const pauseAfterFailureMs = [60_000, 300_000, 900_000] as const;

/** Whether the schedule wants a backup that nobody has made. One that was missed is made up for, once. */
export function isDue({ dueMs, newestMs, sinceMs }: BackupObservation): boolean {
  if (dueMs === undefined) return false;
  // The first one of all waits for its time: nothing was promised before.
  return newestMs === undefined ? dueMs >= sinceMs : newestMs < dueMs;
}

/**
 * Whether this instance takes a backup now. Nobody hands the turns out: each knows its place, and sees in the store whether another one is at it or
 * was. Two that begin at once make two backups, which does no harm. Pure.
 */
export function takesBackup(observation: BackupObservation): boolean {
  const { nowMs, dueMs = 0, sinceMs, rank, othersAtIt, failures, failedMs } = observation;
  if (rank === undefined || othersAtIt || !isDue(observation)) return false;
  if (failedMs !== undefined) {
    const pause = pauseAfterFailureMs[Math.min(failures, pauseAfterFailureMs.length) - 1] ?? 0;
    if (nowMs < failedMs + pause) return false;
  }
  return nowMs >= Math.max(dueMs, sinceMs) + rank * turnMs;
}
