import { type Catalog, isGood, type ListedBackup } from "../../../sentinel-image/backup/backup-catalog.ts";

/** A backup in `redis-ha backup list --json`. Times in milliseconds since 1970. */
export interface BackupReport {
  readonly id: string;
  readonly createdMs: number;
  readonly ageSeconds: number;
  readonly instance: string;
  readonly server: string;
  readonly keys: number;
  readonly bytes: number;
  readonly encryption: string;
  /** Whether it could be loaded; null: nobody has tried. */
  readonly verified: { readonly ms: number; readonly ok: boolean; readonly detail: string } | null;
  /** Pieces that are missing or short. */
  readonly lacking: readonly string[];
  /** It can be restored, as far as is known without reading it. */
  readonly good: boolean;
}

/** A destination in `redis-ha backup list --json`. */
export interface CatalogReport {
  readonly backups: readonly BackupReport[];
  readonly unreadable: Catalog["unreadable"];
  /** Objects of backups that are being made, or weren't finished. */
  readonly unfinished: { readonly objects: number; readonly bytes: number };
}

/** What a destination holds. Pure. */
export function reportCatalog({ backups, unreadable, orphans }: Catalog, nowMs: number): CatalogReport {
  return {
    backups: backups.map((backup) => reportBackup(backup, nowMs)),
    unreadable,
    unfinished: { objects: orphans.length, bytes: orphans.reduce((sum, { bytes }) => sum + bytes, 0) },
  };
}

function reportBackup(backup: ListedBackup, nowMs: number): BackupReport {
  const { manifest, bytes, lacking } = backup;
  const { id, createdMs, instance, server, keys, encryption, verified } = manifest;
  return {
    id,
    createdMs,
    ageSeconds: Math.max(0, Math.round((nowMs - createdMs) / 1000)),
    instance,
    server: `${server.name} ${server.version}`,
    keys: Object.values(keys).reduce((sum, count) => sum + count, 0),
    bytes,
    encryption,
    verified: verified ?? null,
    lacking,
    good: isGood(backup),
  };
}

/** The report for people: a line for each backup, newest first. */
export function describeCatalog({ backups, unreadable, unfinished }: CatalogReport): string {
  const rows = backups.map((backup) => [
    backup.id,
    describeAge(backup.ageSeconds),
    describeBytes(backup.bytes),
    String(backup.keys),
    backup.server,
    backup.encryption,
    describeState(backup),
  ]);
  const lines = table([["backup", "age", "size", "keys", "server", "encryption", "state"], ...rows]);
  if (backups.length === 0) lines.splice(0, 1, "There is no backup here.");
  else if (!backups.some(({ good }) => good))
    lines.push("", "None of them is good: nothing can be restored from here.");
  for (const { reason } of unreadable) lines.push(reason);
  if (unfinished.objects > 0)
    lines.push(
      `${unfinished.objects} objects (${describeBytes(unfinished.bytes)}) belong to no backup: one is being made, or wasn't finished.`,
    );
  return lines.join("\n");
}

/** A size for people: three digits. */
export function describeBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let [size, unit] = [bytes, 0];
  while (size >= 1000 && unit < units.length - 1) [size, unit] = [size / 1024, unit + 1];
  return `${unit === 0 ? size : size.toPrecision(3)} ${units[unit]}`;
}

/** A time span for people: its biggest unit, and the next. */
export function describeAge(seconds: number): string {
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min` : `${seconds} s`;
}

function describeState({ lacking, verified }: BackupReport): string {
  if (lacking.length > 0) return `NOT WHOLE: ${lacking.join("; ")}`;
  if (verified === null) return "whole, never loaded";
  return verified.ok ? "verified" : `BAD: ${verified.detail}`;
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
