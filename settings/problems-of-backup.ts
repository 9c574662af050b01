import { isIP } from "node:net";
import { Cron } from "croner";
import type { ParsedSettings } from "./definitions.ts";

type Backup = ParsedSettings["backup"];

/** Mistakes in what is said about backups, as sentences. */
export function problemsOfBackup(backup: Backup): string[] {
  const { destination, credentialsSecret, nameServer, schedule } = backup;
  if (destination === undefined) {
    const others = [
      "endpoint",
      "region",
      "credentialsSecret",
      "encryptionKey",
      "cidrs",
      "nameServer",
      "restoreFrom",
    ] as const;
    return others
      .filter((key) => backup[key] !== undefined)
      .map(
        (key) =>
          `Configuration 'backup:${key}' is set, but not 'backup:destination': there are no backups. Set it (pulumi config set backup:destination s3://backups/redis), or remove it (pulumi config rm backup:${key}).`,
      );
  }
  const problems: string[] = [];
  if (schedule !== undefined && schedule !== "never" && !isSchedule(schedule))
    problems.push(
      `Configuration 'backup:schedule' is '${schedule}', which no time fits: use five fields of cron (pulumi config set backup:schedule "0 3 * * *").`,
    );
  if (nameServer !== undefined && isIP(nameServer) === 0)
    problems.push(
      `Configuration 'backup:nameServer' is '${nameServer}': use an IP address (pulumi config set backup:nameServer 10.96.0.10).`,
    );
  if (!destination.startsWith("s3://")) {
    for (const key of ["endpoint", "region", "credentialsSecret", "cidrs", "nameServer"] as const) {
      if (backup[key] !== undefined)
        problems.push(
          `Configuration 'backup:${key}' belongs to a bucket, but 'backup:destination' is ${destination}: remove it (pulumi config rm backup:${key}).`,
        );
    }
    return problems;
  }
  if (credentialsSecret === undefined)
    problems.push(
      "Configuration 'backup:destination' is a bucket, but there is no 'backup:credentialsSecret': name the Secret with its access key (pulumi config set backup:credentialsSecret redis-backup).",
    );
  return problems;
}

/** What only a stack of a cluster needs: its Redis pods have no name server. */
export function problemsOfBackupNames({ destination, endpoint, nameServer }: Backup): string[] {
  if (!destination?.startsWith("s3://") || nameServer !== undefined) return [];
  const host = endpoint === undefined ? "Amazon's" : new URL(endpoint).hostname;
  if (isIP(host.replace(/^\[|\]$/g, "")) !== 0) return [];
  return [
    `Configuration 'backup:endpoint' is ${endpoint ?? "Amazon's"}, a name, but Redis pods have no name server: set backup:nameServer to the address that 'kubectl get service kube-dns -n kube-system' says (pulumi config set backup:nameServer 10.96.0.10).`,
  ];
}

function isSchedule(pattern: string): boolean {
  try {
    return new Cron(pattern, { timezone: "UTC", mode: "5-part" }).nextRun() !== null;
  } catch {
    return false;
  }
}
