import { isCidr } from "./cidr.ts";
import { integer, json, list, quantity, text } from "./kinds.ts";
import * as shapes from "./object-shapes.ts";

const secretName = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;
const objectPath = "(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*";
/** `s3://bucket/prefix`, `pvc://claim/path`, `file:///path`. */
export const destinationPattern = new RegExp(
  `^(s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]${objectPath}|pvc://[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?${objectPath}|file://${objectPath}/[A-Za-z0-9_-][A-Za-z0-9._-]*)$`,
);
/** A field of cron: numbers, names, ranges, steps and lists of them. What it means is read by the library, when it is used. */
const cronField = "(\\*|[0-9A-Za-z]+)([-/,#L*][0-9A-Za-z*]*)*";

/** Where backups go, how often, and what a brand-new stack begins with. */
export function backupSettings() {
  return {
    destination: text({
      description:
        "Where backups are kept: a bucket, a claim of the namespace that several pods can mount, or a directory of the pods that you mount yourself. Without it there are none. See docs/backup.md.",
      derived: "none",
      pattern: destinationPattern,
      allowed: "s3://bucket/prefix, pvc://claim/path or file:///path",
      example: "s3://backups/redis",
    }),
    endpoint: text({
      description: "Address of a store other than Amazon's.",
      derived: "Amazon's, of the region",
      pattern: /^https?:\/\/[A-Za-z0-9.-]+(:\d{1,5})?$/,
      allowed: "https://host or https://host:port",
      example: "https://minio.storage.svc:9000",
    }),
    region: text({
      description: "Region of the bucket.",
      derived: "us-east-1",
      pattern: /^[a-z0-9-]{1,63}$/,
      allowed: "the name of a region",
      example: "eu-central-1",
    }),
    credentialsSecret: text({
      description:
        "A Secret of the namespace with `access-key-id` and `secret-access-key` for the bucket and, if its endpoint needs them, authorities as `ca.crt`. Only Redis pods mount it.",
      derived: "none",
      pattern: secretName,
      allowed: "the name of a Secret",
      example: "redis-backup",
    }),
    encryptionKey: json({
      description:
        "A key of a Secret of the namespace with which backups are encrypted: what `age-keygen` makes, or only its recipient (`age1…`); then pods can't read what they write, and verify nothing.",
      derived: "none: backups aren't encrypted",
      shape: shapes.secretKey,
      argument: "{ readonly name: string; readonly key?: string | undefined }",
      allowed: "a JSON object {name, key?}",
      example: '{"name":"redis-backup","key":"encryption-key"}',
    }),
    schedule: text({
      description: "When a backup is made: five fields of cron, in UTC. `never`: only on demand.",
      fallback: "0 3 * * *",
      pattern: new RegExp(`^(never|${cronField}( ${cronField}){4})$`),
      allowed: "five fields of cron, or never",
      example: "0 3 * * *",
    }),
    keep: integer({
      description: "How many good backups are kept. The newest good one always is.",
      min: 1,
      max: 10_000,
      fallback: 14,
    }),
    keepDays: integer({
      description: "For how many days a backup is kept, within that number. 0: the number alone decides.",
      min: 0,
      max: 36_500,
      fallback: 0,
    }),
    bandwidth: quantity({
      description:
        "How much a backup reads in a second. Less spares the network and disks, and makes its fork take memory for longer.",
      min: "64Ki",
      fallback: "64Mi",
    }),
    cidrs: list({
      description: "Addresses of the store: a Redis pod may connect to its port there and nowhere else.",
      derived: "all, at the port of the endpoint",
      item: isCidr,
      allowed: "address ranges in CIDR notation, separated by commas",
      example: "10.1.2.0/24",
    }),
    nameServer: text({
      description:
        "Address of the name server that knows the store's name (kubectl get service kube-dns -n kube-system). Redis pods have none otherwise.",
      derived: "none: the endpoint is an address",
      pattern: /^[0-9a-fA-F.:]+$/,
      allowed: "an IP address",
      example: "10.96.0.10",
    }),
    restoreFrom: text({
      description:
        "Id of a backup of the destination, or `latest`: what a stack without any data begins with. It has no effect once the stack has data.",
      derived: "none",
      pattern: /^[A-Za-z0-9][A-Za-z0-9-]{0,127}$/,
      allowed: "the id of a backup (redis-ha backup list), or latest",
      example: "latest",
    }),
  };
}
