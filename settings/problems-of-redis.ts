import type { ParsedSettings } from "./definitions.ts";

/** Settings of Redis that can't be together. As sentences. */
export function problemsOfRedis({ redis, backup }: ParsedSettings): string[] {
  const { instances, durability, fsync, persistence, storageClass } = redis;
  const problems: string[] = [];
  if (instances === 1 && durability !== undefined && durability !== "async") {
    problems.push(
      `Configuration 'redis:durability' is ${durability}, but with 'redis:instances' 1 there is no replica to confirm a write: use async (pulumi config rm redis:durability), or more instances (pulumi config set redis:instances 3).`,
    );
  }
  if (persistence === "off" && durability === "quorum") {
    problems.push(
      "Configuration 'redis:durability' is quorum, but with 'redis:persistence' off an instance that restarts has forgotten what it confirmed: use sync (pulumi config set redis:durability sync), or keep the data (pulumi config rm redis:persistence).",
    );
  }
  if (persistence === "off" && fsync === "always") {
    problems.push(
      "Configuration 'redis:fsync' is always, but with 'redis:persistence' off nothing is written to a disk: remove one of the two (pulumi config rm redis:fsync).",
    );
  }
  if (persistence === "off" && storageClass !== undefined) {
    problems.push(
      "Configuration 'redis:storageClass' is about volumes, but with 'redis:persistence' off there are none: remove one of the two (pulumi config rm redis:storageClass).",
    );
  }
  if (persistence === "off" && backup.restoreFrom !== undefined) {
    problems.push(
      "Configuration 'backup:restoreFrom' fills new volumes, but with 'redis:persistence' off there are none: remove one of the two (pulumi config rm backup:restoreFrom).",
    );
  }
  return problems;
}
