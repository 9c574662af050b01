import type { Check, Finding } from "./checks/finding.ts";
import { moveChecks } from "./checks/move.ts";
import { proxyChecks } from "./checks/proxies.ts";
import { replicationChecks } from "./checks/replication.ts";
import { sentinelChecks } from "./checks/sentinels.ts";
import { silentParts } from "./checks/silent-parts.ts";
import { storageAndMemory } from "./checks/storage-and-memory.ts";
import { movingFrom } from "./move/moving-from.ts";
import type { Observation } from "./observation.ts";

/** All checks, causes before what comes of them: the first finding is the one to mend first. */
export const checks: readonly Check[] = [
  ...silentParts,
  ...storageAndMemory,
  ...moveChecks,
  ...sentinelChecks,
  ...replicationChecks,
  ...proxyChecks,
];

/** Everything that isn't as it should be, the likely cause first; notes at the end. Pure. */
export function examine(seen: Observation): Finding[] {
  // As long as another Redis is the master, there is nothing that the Sentinels could do.
  const meaningless = movingFrom(seen) === undefined ? [] : [...sentinelChecks, ...replicationChecks];
  const all = checks
    .filter((check) => !meaningless.includes(check))
    .flatMap(({ name, find }) => find(seen).map((finding) => ({ check: name, ...finding })));
  return [
    ...all.filter(({ severity }) => severity !== "note"),
    ...all.filter(({ severity }) => severity === "note"),
  ];
}

/** Whether somebody has to do something. */
export function isWell(findings: readonly Finding[]): boolean {
  return findings.every(({ severity }) => severity === "note");
}
