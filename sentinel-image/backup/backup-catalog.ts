import { UserError } from "../../runtime/user-error.ts";
import { folderOf, idOfManifest, type Manifest, manifestKey, readManifest } from "./manifest.ts";
import type { ObjectStore, StoredObject } from "./object-store.ts";
import { type KeptBackup, type Orphan, planRetention, type Retention } from "./plan-retention.ts";
import { StoreError } from "./store-error.ts";

/** A backup of a destination, as its list shows it. */
export interface ListedBackup {
  readonly manifest: Manifest;
  /** All its objects together, as they lie in the store. */
  readonly bytes: number;
  /** Pieces that are missing or have another size than the manifest says, each in one sentence. Not empty: it can't be restored. */
  readonly lacking: readonly string[];
}

/** What a destination holds. */
export interface Catalog {
  /** Newest first. */
  readonly backups: readonly ListedBackup[];
  /** Backups whose manifest can't be read, with the reason. */
  readonly unreadable: readonly { readonly id: string; readonly reason: string }[];
  /** Objects that no manifest names: of a backup that is being made, or wasn't finished. */
  readonly orphans: readonly Orphan[];
}

/** Lists a destination: one pass over its objects, and its manifests. @throws {StoreError} when it can't be listed. */
export async function readCatalog(store: ObjectStore): Promise<Catalog> {
  const objects = new Map<string, StoredObject>();
  for await (const object of store.list("backups/")) objects.set(object.key, object);
  const ids = [...objects.keys()].map(idOfManifest).filter((id) => id !== undefined);
  const backups: ListedBackup[] = [];
  const unreadable: { id: string; reason: string }[] = [];
  const named = new Set(ids.map(manifestKey));
  for (let at = 0; at < ids.length; at += readAtOnce) {
    const read = await Promise.all(ids.slice(at, at + readAtOnce).map((id) => tryToRead(store, id)));
    for (const { id, manifest, reason } of read) {
      if (reason !== undefined) unreadable.push({ id, reason });
      if (manifest === undefined) continue;
      const pieces = [...manifest.pieces, ...manifest.increments];
      for (const { key } of pieces) named.add(key);
      backups.push({
        manifest,
        bytes: pieces.reduce((sum, { bytes }) => sum + bytes, 0),
        lacking: pieces.flatMap(({ key, bytes }) => lackOf(key, bytes, objects.get(key)?.bytes)),
      });
    }
  }
  // What belongs to a backup that can't be read is nobody's to remove: a newer release may read it.
  const spared = unreadable.map(({ id }) => `${folderOf(id)}/`);
  const orphans = [...objects.values()].filter(
    ({ key }) => !named.has(key) && !spared.some((folder) => key.startsWith(folder)),
  );
  return { backups: backups.toSorted(newestFirst), unreadable, orphans };
}

/**
 * The backup that a person means.
 *
 * @param wanted an id, `latest` (the newest that is whole and wasn't found bad), or a time in milliseconds: the newest of that time or before, whose
 * increments reach that time or which is nearest.
 * @throws {UserError} that names what there is.
 */
export function findBackup(
  { backups, unreadable }: Catalog,
  wanted: string | { readonly atMs: number },
): ListedBackup {
  if (typeof wanted === "string" && wanted !== "latest") {
    const found = backups.find(({ manifest }) => manifest.id === wanted);
    if (found !== undefined) return found;
    const broken = unreadable.find(({ id }) => id === wanted);
    if (broken !== undefined) throw new UserError(broken.reason);
    throw new UserError(`There is no backup ${wanted}: ${describeChoice(backups)}`);
  }
  const good = backups.filter(isGood);
  const found =
    typeof wanted === "string" ? good[0] : good.find(({ manifest }) => manifest.createdMs <= wanted.atMs);
  if (found !== undefined) return found;
  throw new UserError(
    typeof wanted === "string"
      ? `There is no good backup: ${describeChoice(backups)}`
      : `There is no good backup of ${timeOf(wanted.atMs)} or before: ${describeChoice(backups)}`,
  );
}

/** It is whole, and nobody has found that it can't be loaded. */
export function isGood({ manifest, lacking }: Pick<ListedBackup, "manifest" | "lacking">): boolean {
  return lacking.length === 0 && manifest.verified?.ok !== false;
}

/** Removes a backup: first its manifest, and with it the backup; then its objects. An interruption leaves orphans, never half a backup. */
export async function deleteBackup(store: ObjectStore, manifest: Manifest): Promise<void> {
  await store.remove(manifestKey(manifest.id));
  const keys = new Set([...manifest.pieces, ...manifest.increments].map(({ key }) => key));
  for await (const { key } of store.list(`${folderOf(manifest.id)}/`)) keys.add(key);
  keys.delete(manifestKey(manifest.id));
  for (const key of keys) await store.remove(key);
}

/**
 * Removes what the retention says, and what unfinished backups left more than a day ago.
 *
 * @returns the ids that were removed, and how many orphans.
 */
export async function applyRetention(
  store: ObjectStore,
  retention: Retention,
  nowMs = Date.now(),
): Promise<{ removed: string[]; orphans: number }> {
  const catalog = await readCatalog(store);
  const kept: KeptBackup[] = catalog.backups.map((backup) => ({
    id: backup.manifest.id,
    createdMs: backup.manifest.createdMs,
    good: isGood(backup),
    verified: backup.manifest.verified?.ok === true,
  }));
  const plan = planRetention(kept, catalog.orphans, retention, nowMs);
  for (const { manifest } of catalog.backups) {
    if (plan.remove.includes(manifest.id)) await deleteBackup(store, manifest);
  }
  for (const key of plan.orphans) await store.remove(key);
  await store.removeUnfinished?.(orphansAfterMs);
  return { removed: plan.remove, orphans: plan.orphans.length };
}

const orphansAfterMs = 24 * 3600_000;

/** Manifests that are read at the same time. */
const readAtOnce = 16;

/** A manifest, or why it is none; neither when it was deleted since it was listed: then it is no backup any more. */
async function tryToRead(
  store: ObjectStore,
  id: string,
): Promise<{ id: string; manifest?: Manifest; reason?: string }> {
  try {
    return { id, manifest: await readManifest(store, id) };
  } catch (error) {
    // A store that fails isn't a damaged manifest.
    if (error instanceof StoreError && error.fault !== "no-object") throw error;
    if (error instanceof StoreError) return { id };
    if (error instanceof UserError) return { id, reason: error.message };
    throw error;
  }
}

function newestFirst(a: ListedBackup, b: ListedBackup): number {
  return b.manifest.createdMs - a.manifest.createdMs || (a.manifest.id < b.manifest.id ? 1 : -1);
}

function lackOf(key: string, bytes: number, found: number | undefined): string[] {
  if (found === undefined) return [`${key} is missing`];
  return found === bytes ? [] : [`${key} has ${found} bytes instead of ${bytes}`];
}

function describeChoice(backups: readonly ListedBackup[]): string {
  if (backups.length === 0) return "the destination holds none.";
  const [newest] = backups;
  const oldest = backups.at(-1);
  return `the destination holds ${backups.length}, from ${oldest?.manifest.id} to ${newest?.manifest.id}.`;
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
