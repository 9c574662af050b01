import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { messageOf } from "../../runtime/log.ts";
import { replaceFile } from "../../runtime/replace-file.ts";
import { findBackup, readCatalog } from "../backup/backup-catalog.ts";
import type { BackupPlan } from "../backup/backup-environment.ts";
import { restoreBackup } from "../backup/restore-backup.ts";
import type { StartRole } from "./choose-role.ts";
import { hasStoredData } from "./stored-data.ts";

export interface RestoreAtStartOptions {
  readonly plan: BackupPlan | undefined;
  readonly role: StartRole;
  readonly dataDirectory: string;
  /** The folder `ha` of the volume. */
  readonly directory: string;
  /** A replica was in sync with this instance once, or this one with a master: the set is not brand-new. */
  readonly initialised: boolean;
  readonly program: string;
  /** Told why the instance still waits. */
  readonly onWaiting: (why: string, failed: boolean) => void;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const again = { firstMs: 1000, mostMs: 30_000 } as const;

/**
 * Restores a backup when a brand-new set of instances is to begin with one, and this instance is the one that leads: the others copy its data. The rules of
 * the start let nobody lead on an empty volume unless all others answer and are empty, too. It tries until it succeeds: to begin without the data would be
 * worse than not to begin.
 *
 * @returns whether there are data now that weren't before. @throws {Error} only when `signal` ends it.
 */
export async function restoreAtStart(options: RestoreAtStartOptions): Promise<boolean> {
  const { plan, role, dataDirectory, directory, initialised, program, onWaiting, log, signal } = options;
  const wanted = plan?.restoreFrom;
  if (plan === undefined || wanted === undefined) return false;
  const note = join(directory, "restored.json");
  if (initialised || existsSync(note) || hasStoredData(dataDirectory)) {
    sayWhatCounts(note, wanted, log);
    return false;
  }
  if (role.kind !== "lead") return false;
  for (let waitMs: number = again.firstMs; ; waitMs = Math.min(again.mostMs, 2 * waitMs)) {
    try {
      const { store, cipher } = plan.open();
      const { manifest } = findBackup(await readCatalog(store), wanted);
      log.warn({ id: manifest.id, wanted }, "this set of instances is brand-new: it begins with a backup");
      onWaiting(`backup ${manifest.id}, which is being restored`, false);
      const begin = performance.now();
      await restoreBackup({ store, manifest, cipher, dataDirectory, program, signal });
      replaceFile(note, JSON.stringify({ id: manifest.id, wanted, ms: Date.now() }));
      log.info({ id: manifest.id, ms: Math.round(performance.now() - begin) }, "restored");
      return true;
    } catch (error) {
      signal.throwIfAborted();
      onWaiting(`backup ${wanted}, which can't be restored: ${messageOf(error)}`, true);
      log.error(
        { wanted, problem: messageOf(error) },
        "the backup can't be restored: nothing starts without it (backup:restoreFrom)",
      );
      await delay(waitMs, undefined, { signal });
    }
  }
}

/** Somebody who sets it for a stack with data must not believe that it did anything. */
function sayWhatCounts(note: string, wanted: string, log: Logger): void {
  const done = existsSync(note) ? (JSON.parse(readFileSync(note, "utf8")) as { wanted?: string }) : {};
  if (done.wanted === wanted) return;
  log.warn(
    { wanted },
    "backup:restoreFrom has no effect: this instance has had data. Restore into a new stack, or remove the volumes of all instances of this one first",
  );
}
