import { messageOf } from "../../runtime/log.ts";
import { parseInfo } from "../start/ask-peer.ts";
import { type Heartbeat, heartbeatKey, isNewer, parseHeartbeat } from "../supervise/heartbeat.ts";
import { readKeys } from "./key-counts.ts";
import { type LoadOptions, VerifierKilled, withLoadedBackup } from "./loaded-backup.ts";
import type { Manifest } from "./manifest.ts";
import { noteFailure } from "./note-failure.ts";

/** What a loaded backup holds. */
export interface LoadedData {
  readonly heartbeat: Heartbeat | undefined;
  readonly keys: Readonly<Record<string, number>>;
}

export type Verification = NonNullable<Manifest["verified"]>;

/**
 * Loads a backup into a throw-away server and compares what is in it with its manifest.
 *
 * @returns `ok` false with the reason when the backup is no good. @throws {Error} when `signal` ends it, the store can't be read, or the
 * server was killed, as for want of memory: that says nothing about the backup.
 */
export async function verifyBackup(options: LoadOptions): Promise<Verification> {
  const { manifest, signal } = options;
  const ms = Date.now();
  const { store, failure } = noteFailure(options.store);
  try {
    const loaded = await withLoadedBackup({ ...options, store }, async (client): Promise<LoadedData> => {
      const info = parseInfo(String(await client.call("INFO", "keyspace")));
      return { heartbeat: parseHeartbeat(await client.get(heartbeatKey)), keys: readKeys(info) };
    });
    const problem = compare(manifest, loaded);
    const total = Object.values(loaded.keys).reduce((sum, count) => sum + count, 0);
    return problem === undefined
      ? { ms, ok: true, detail: `loaded: ${total} keys` }
      : { ms, ok: false, detail: problem };
  } catch (error) {
    if (signal.aborted || error instanceof VerifierKilled) throw error;
    const broken = failure();
    if (broken !== undefined) throw broken;
    return { ms, ok: false, detail: messageOf(error) };
  }
}

/** A command that makes or removes a key takes at least so many bytes of the stream for each key: `$1\r\na\r\n`. */
const bytesPerKey = 7;

/** What is wrong with the data of a backup; undefined: nothing that can be seen. Pure. */
export function compare(manifest: Manifest, loaded: LoadedData): string | undefined {
  const { changedBytes = 0 } = manifest;
  if (isNewer(manifest.heartbeat, loaded.heartbeat, 0))
    return `its heartbeat is ${told(loaded.heartbeat)}, older than ${told(manifest.heartbeat)}, which its instance had when it was taken`;
  if (changedBytes === 0 && isNewer(loaded.heartbeat, manifest.heartbeat, 0))
    return `its heartbeat is ${told(loaded.heartbeat)}, and its instance had ${told(manifest.heartbeat)}`;
  const slack = Math.ceil(changedBytes / bytesPerKey);
  for (const database of new Set([...Object.keys(manifest.keys), ...Object.keys(loaded.keys)])) {
    const [had, has] = [manifest.keys[database] ?? 0, loaded.keys[database] ?? 0];
    if (Math.abs(had - has) > slack)
      return `database ${database} has ${has} keys, and its instance had ${had}${slack === 0 ? "" : `, give or take ${slack}`}`;
  }
  return undefined;
}

function told(heartbeat: Heartbeat | undefined): string {
  return heartbeat === undefined ? "none" : `${heartbeat.epoch}:${heartbeat.ms}`;
}
