import { join } from "node:path";
import { parseQuantity } from "../../runtime/quantity.ts";
import type { Settings } from "../../settings/resolve-settings.ts";
import type { Site } from "./site.ts";
import type { SecretFile, Workload } from "./workload.ts";

/** Where a claim for backups is mounted. */
export const backupMount = "/backups";

/** The secret files of backups, by the settings that name their Secrets. */
export function backupFiles({
  destination,
  credentialsSecret,
  encryptionKey,
}: Settings["backup"]): SecretFile[] {
  if (destination === undefined) return [];
  return [
    ...(credentialsSecret === undefined
      ? []
      : (["backup/access-key-id", "backup/secret-access-key", "backup/ca.crt"] as const)),
    ...(encryptionKey === undefined ? [] : (["backup/encryption-key"] as const)),
  ];
}

/** What an instance's supervisor is told about backups. No secret is among it. */
export function backupEnvironment(backup: Settings["backup"], site: Site): Record<string, string> {
  const { destination, schedule, endpoint, region, nameServer, restoreFrom, encryptionKey } = backup;
  if (destination === undefined) return {};
  const optional = {
    BACKUP_ENDPOINT: endpoint,
    BACKUP_REGION: region,
    BACKUP_NAME_SERVER: nameServer,
    BACKUP_RESTORE_FROM: restoreFrom,
    BACKUP_SCHEDULE: schedule === "never" ? undefined : schedule,
  };
  return {
    BACKUP_DESTINATION: destination.replace(/^pvc:\/\/[^/]+/, `file://${backupMount}`),
    BACKUP_SECRETS_DIR: join(site.secretDirectory, "backup"),
    BACKUP_ENCRYPTED: encryptionKey === undefined ? "no" : "yes",
    BACKUP_KEEP: String(backup.keep),
    BACKUP_KEEP_DAYS: String(backup.keepDays),
    BACKUP_BYTES_PER_SECOND: String(Math.floor(parseQuantity(backup.bandwidth) ?? 0)),
    ...(Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)) as Record<
      string,
      string
    >),
  };
}

/** The claim that backups are written to, when the destination is one. */
export function backupClaim({ destination }: Settings["backup"]): Pick<Workload, "backupClaim"> {
  const claim = /^pvc:\/\/([^/]+)/.exec(destination ?? "")?.[1];
  return claim === undefined ? {} : { backupClaim: claim };
}
