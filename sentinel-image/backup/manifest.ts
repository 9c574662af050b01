import { createHash } from "node:crypto";
import { z } from "zod";
import { UserError } from "../../runtime/user-error.ts";
import type { ObjectStore, StoreOptions } from "./object-store.ts";
import { StoreError } from "./store-error.ts";

/** The version that is written. A reader refuses every other one: a backup that is half understood isn't restored. */
export const manifestFormat = 1;

const count = z.int().nonnegative();
const key = z.string().min(1);
/** An object as it lies in the store: what is encrypted is counted and summed encrypted, so that anybody can check it. */
const piece = z.strictObject({ key, bytes: count, sha256: z.string().regex(/^[0-9a-f]{64}$/) });

const manifestSchema = z.strictObject({
  formatVersion: z.literal(manifestFormat),
  /** Names the backup and its objects: `20261130T222046123Z-redis-instance-2`. */
  id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]*$/),
  kind: z.literal("full"),
  /** When the data were as they are in it, in milliseconds since 1970. */
  createdMs: count,
  /** The instance that it was taken from. */
  instance: z.string(),
  server: z.strictObject({ name: z.string(), version: z.string() }),
  replication: z.strictObject({ id: z.string(), offset: count }),
  /** Bytes of the replication stream between the moment in which heartbeat and keys were asked for and the copy: undefined, like 0: they are exact. */
  changedBytes: count.optional(),
  /** How new the data are; undefined: there was no heartbeat in them. */
  heartbeat: z.strictObject({ epoch: count, ms: count }).optional(),
  /** Keys in each database, by its number. */
  keys: z.record(z.string().regex(/^[0-9]+$/), count),
  /** The RDB file, in this order. */
  pieces: z.array(piece).min(1),
  /** What was written after it, for a point in time, in this order and without a gap. */
  increments: z.array(piece.extend({ fromMs: count, toMs: count })),
  encryption: z.enum(["none", "age"]),
  /** Whether it could be loaded; undefined: nobody has tried yet. */
  verified: z.strictObject({ ms: count, ok: z.boolean(), detail: z.string() }).optional(),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type Piece = z.infer<typeof piece>;
export type Increment = Manifest["increments"][number];

/** Below it lies everything of one backup. */
export function folderOf(id: string): string {
  return `backups/${id}`;
}

/** @returns the key of the manifest of the backup with this id. */
export function manifestKey(id: string): string {
  return `${folderOf(id)}/manifest.json`;
}

/** @returns the id of the backup whose manifest has this key; undefined: that is no manifest. */
export function idOfManifest(objectKey: string): string | undefined {
  return /^backups\/([A-Za-z0-9][A-Za-z0-9-]*)\/manifest\.json$/.exec(objectKey)?.[1];
}

/** A name for a backup: sorts by time, to the millisecond, and two instances never make the same one. @param createdMs as in its manifest. */
export function backupId(createdMs: number, instance: string): string {
  const time = new Date(createdMs).toISOString().replace(/[-:.]/g, "");
  return `${time}-${instance.replace(/[^A-Za-z0-9-]/g, "-")}`;
}

/** @returns bytes of the data that are stored. */
export function bytesOf({ pieces }: Pick<Manifest, "pieces">): number {
  return pieces.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Writes the manifest, or replaces it. Only now there is a backup: all its pieces must be in the store before. */
export async function writeManifest(
  store: ObjectStore,
  manifest: Manifest,
  options?: StoreOptions,
): Promise<void> {
  const text = `${JSON.stringify(manifestSchema.parse(manifest), undefined, 2)}\n`;
  await store.put(manifestKey(manifest.id), once(Buffer.from(text)), options);
}

/**
 * Reads a manifest.
 *
 * @throws {UserError} for one of another version, and for one that is damaged; {StoreError} when it can't be read.
 */
export async function readManifest(
  store: ObjectStore,
  id: string,
  options?: StoreOptions,
): Promise<Manifest> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of store.get(manifestKey(id), options)) {
    bytes += part.byteLength;
    if (bytes > maxManifestBytes)
      throw new UserError(
        `The manifest of backup ${id} is damaged: it has more than ${maxManifestBytes} bytes.`,
      );
    parts.push(part);
  }
  return parseManifest(Buffer.concat(parts).toString("utf8"), id);
}

/** @throws {UserError} when the text isn't the manifest of this backup. */
export function parseManifest(text: string, id: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UserError(`The manifest of backup ${id} is damaged: it is no JSON. Use another backup.`, {
      cause: error,
    });
  }
  const version = (value as { formatVersion?: unknown } | null)?.formatVersion;
  if (typeof version === "number" && version !== manifestFormat)
    throw new UserError(
      `Backup ${id} has the format ${version}, this program knows ${manifestFormat}: use the release that made it, or a newer one.`,
    );
  const read = manifestSchema.safeParse(value);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw new UserError(
      `The manifest of backup ${id} is damaged: ${issue?.path.join(".") || "it"}: ${issue?.message}. Use another backup.`,
    );
  }
  if (read.data.id !== id)
    throw new UserError(`The manifest of backup ${id} is that of ${read.data.id}: use another backup.`);
  return read.data;
}

/**
 * Whether all objects that the manifest names are in the store with their sizes, by their list alone: no data are read.
 *
 * @returns one sentence for each that isn't.
 */
export async function findLacking(store: ObjectStore, manifest: Manifest): Promise<string[]> {
  const sizes = new Map<string, number>();
  for await (const { key: found, bytes } of store.list(`${folderOf(manifest.id)}/`)) sizes.set(found, bytes);
  return [...manifest.pieces, ...manifest.increments].flatMap((wanted) => {
    const bytes = sizes.get(wanted.key);
    if (bytes === undefined) return [`${wanted.key} is missing`];
    return bytes === wanted.bytes ? [] : [`${wanted.key} has ${bytes} bytes instead of ${wanted.bytes}`];
  });
}

/**
 * The bytes of a piece, checked on the way. What is read before the end may be thrown away: whether all is well is known only then.
 *
 * @throws {StoreError} at the end when the piece is short, long or another one, by its name.
 */
export async function* readPiece(
  store: ObjectStore,
  wanted: Piece,
  options?: StoreOptions,
): AsyncIterable<Uint8Array> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const part of store.get(wanted.key, options)) {
    hash.update(part);
    bytes += part.byteLength;
    yield part;
  }
  if (bytes !== wanted.bytes)
    throw new StoreError(
      "damaged",
      `${wanted.key} has ${bytes} bytes instead of ${wanted.bytes}: use another backup.`,
    );
  if (hash.digest("hex") !== wanted.sha256)
    throw new StoreError(
      "damaged",
      `${wanted.key} is damaged, its SHA-256 isn't that of its manifest: use another backup.`,
    );
}

/** Bytes that are in memory, as a body. */
export async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

const maxManifestBytes = 16 * 1024 * 1024;
