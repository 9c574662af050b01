import type { Metric } from "../supervise/metrics-text.ts";

/** What an instance knows of the backups in the store, and of those that it made. */
export interface BackupState {
  /** Of the newest good backup in the store: when, how big, and what its verification said; undefined: there is none, or the store doesn't answer. */
  newest?: { readonly createdMs: number; readonly bytes: number; readonly verified: boolean | undefined };
  /** By when a newer one has to be there; undefined: nothing is scheduled. */
  dueMs?: number | undefined;
  /** How long the last one took that this instance made, ms. */
  durationMs?: number;
  /** What this instance tried and failed at, or found to be bad, since its supervisor began. */
  failures: number;
  /** The last failure was followed by no success. */
  failing: boolean;
}

/** Pure. */
export function backupMetrics({ newest, dueMs, durationMs, failures, failing }: BackupState): Metric[] {
  const of = (name: string, help: string, value: number | undefined): Metric => ({
    name: `redis_ha_backup_${name}`,
    help,
    value: value ?? Number.NaN,
  });
  const verified = newest?.verified === undefined ? 0 : Number(newest.verified);
  return [
    of("last_success_timestamp_seconds", "When the newest good backup was made.", seconds(newest?.createdMs)),
    of("due_timestamp_seconds", "By when a newer one has to be there.", seconds(dueMs)),
    of("last_size_bytes", "Size of the newest good backup in the store.", newest?.bytes),
    of("verified", "1: the newest good backup was loaded and compared.", newest && verified),
    of("duration_seconds", "How long the last backup of this instance took.", seconds(durationMs)),
    of("failures_total", "Backups that failed here, or were found to be bad.", failures),
    of("failing", "1: this instance's last attempt failed.", Number(failing)),
  ];
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}
