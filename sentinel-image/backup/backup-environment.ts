import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { RedisEnvironment } from "../conf/redis-environment.ts";
import { aged, type Cipher, plain } from "./cipher.ts";
import { lookUpAt } from "./name-server.ts";
import type { ObjectStore } from "./object-store.ts";
import { openStore } from "./open-store.ts";
import type { Retention } from "./plan-retention.ts";

/** The files below `BACKUP_SECRETS_DIR`. They are read at each use: what the platform changes holds for the next backup. */
export const backupSecrets = {
  accessKeyId: "access-key-id",
  secretAccessKey: "secret-access-key",
  authorities: "ca.crt",
  encryptionKey: "encryption-key",
} as const;

/** What an instance knows about backups. */
export interface BackupPlan {
  /** Five fields of cron, in UTC; undefined: only on demand. */
  readonly schedule: string | undefined;
  readonly retention: Retention;
  readonly bytesPerSecond: number;
  /** An id, or `latest`: what a brand-new set of instances begins with. */
  readonly restoreFrom: string | undefined;
  /** Opens the store anew. @throws {UserError} when it can't be reached with what is configured. */
  readonly open: () => { readonly store: ObjectStore; readonly cipher: Cipher };
}

/** Undefined: there is no destination. */
export function readBackupPlan(environment: RedisEnvironment): BackupPlan | undefined {
  const { BACKUP_DESTINATION: destination, BACKUP_SECRETS_DIR: directory } = environment;
  if (destination === undefined) return undefined;
  const path = (name: string): string => join(directory ?? "", name);
  const secret = (name: string): string | undefined =>
    existsSync(path(name)) ? readFileSync(path(name), "utf8").trim() : undefined;
  const { BACKUP_NAME_SERVER: nameServer, BACKUP_ENDPOINT: endpoint } = environment;
  if (nameServer !== undefined)
    lookUpAt(endpoint === undefined ? "amazonaws.com" : new URL(endpoint).hostname, nameServer);
  return {
    schedule: environment.BACKUP_SCHEDULE,
    retention: { count: environment.BACKUP_KEEP, days: environment.BACKUP_KEEP_DAYS },
    bytesPerSecond: environment.BACKUP_BYTES_PER_SECOND,
    restoreFrom: environment.BACKUP_RESTORE_FROM,
    open: () => {
      const access = {
        endpoint,
        region: environment.BACKUP_REGION,
        accessKeyId: secret(backupSecrets.accessKeyId),
        secretAccessKey: secret(backupSecrets.secretAccessKey),
        caFile: existsSync(path(backupSecrets.authorities)) ? path(backupSecrets.authorities) : undefined,
      };
      const given = Object.entries(access).filter(([, value]) => value !== undefined);
      return {
        store: openStore(destination, Object.fromEntries(given)),
        // Without its key nothing is written: a backup that should be encrypted and isn't would be a leak.
        cipher: environment.BACKUP_ENCRYPTED === "yes" ? aged(path(backupSecrets.encryptionKey)) : plain,
      };
    },
  };
}
