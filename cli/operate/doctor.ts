import type { Check, Finding } from "./checks/finding.ts";
import { proxyChecks } from "./checks/proxies.ts";
import { replicationChecks } from "./checks/replication.ts";
import { sentinelChecks } from "./checks/sentinels.ts";
import { silentParts } from "./checks/silent-parts.ts";
import { storageAndMemory } from "./checks/storage-and-memory.ts";
import type { Observation } from "./observation.ts";

/** All checks, causes before what comes of them: the first finding is the one to mend first. */
export const checks: readonly Check[] = [
  ...silentParts,
  ...storageAndMemory,
  ...sentinelChecks,
  ...replicationChecks,
  ...proxyChecks,
];

/** Everything that isn't as it should be, the likely cause first; notes at the end. Pure. */
export function examine(seen: Observation): Finding[] {
  const all = checks.flatMap(({ name, find }) => find(seen).map((finding) => ({ check: name, ...finding })));
  return [
    ...all.filter(({ severity }) => severity !== "note"),
    ...all.filter(({ severity }) => severity === "note"),
  ];
}

/** Whether somebody has to do something. */
export function isWell(findings: readonly Finding[]): boolean {
  return findings.every(({ severity }) => severity === "note");
}
