import type { StoredObject } from "./object-store.ts";

/** How long backups are kept. One is removed when it is beyond both: neither among the newest `count`, nor younger than `days`. */
export interface Retention {
  /** How many of the newest good ones are kept, 1 or more. */
  readonly count: number;
  /** For how many days each is kept; 0: the count alone decides. */
  readonly days: number;
}

/** A backup, as far as its keeping is concerned. */
export interface KeptBackup {
  readonly id: string;
  readonly createdMs: number;
  /** Whole, and not found bad. */
  readonly good: boolean;
  /** It was loaded, and was well. */
  readonly verified: boolean;
}

export type Orphan = StoredObject;

/** What is to be removed. */
export interface RetentionPlan {
  readonly remove: string[];
  /** Keys of objects that no manifest names. */
  readonly orphans: string[];
}

/**
 * What may go. A bad backup doesn't count towards the number, and goes with those of its age; the newest good one and the newest verified one stay, whatever their age: backups
 * that fail for weeks must not take the last one away.
 *
 * @param orphans are removed when they are older than a day: younger ones may be of a backup that is being made.
 */
export function planRetention(
  backups: readonly KeptBackup[],
  orphans: readonly Orphan[],
  { count, days }: Retention,
  nowMs: number,
): RetentionPlan {
  const newestFirst = backups.toSorted((a, b) => b.createdMs - a.createdMs);
  const good = newestFirst.filter(({ good }) => good);
  const counted = new Set(good.slice(0, Math.max(1, count)));
  const verified = newestFirst.find((backup) => backup.good && backup.verified);
  return {
    remove: newestFirst
      .filter((backup) => !counted.has(backup) && backup !== verified)
      .filter(({ createdMs }) => nowMs - createdMs > days * dayMs)
      .map(({ id }) => id),
    orphans: orphans.filter(({ modifiedMs }) => nowMs - modifiedMs > dayMs).map(({ key }) => key),
  };
}

const dayMs = 24 * 3600_000;
