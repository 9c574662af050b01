import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { MemoryUse } from "./pod-memory.ts";

const MiB = 2 ** 20;

/** A fork that makes clients' writes copy everything fills 10 MiB in this time on a fast machine. */
const lookEveryMs = 50;

/** Until an ended fork has given its pages back. */
const settleMs = 300;

const complainEveryMs = 60_000;

/** Whether the kernel is about to kill: 6 % of the limit are left, at least 10 and at most 128 MiB. */
export function isNearLimit({ limit, needed }: MemoryUse): boolean {
  return needed > limit - Math.min(128 * MiB, Math.max(10 * MiB, limit * 0.06));
}

export interface MemoryGuardOptions {
  /** What the pod uses; undefined ends the guard: nothing limits it. */
  readonly readUse: () => MemoryUse | undefined;
  /** Ends the server's fork. @returns whether there was one. */
  readonly endForks: () => boolean;
  /** Told when a fork was ended, so that it isn't started again at once. */
  readonly onEnded: () => void;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Ends a fork of redis-server before the pod reaches its memory limit. The fork's work can be done again; a server that the kernel
 * kills has to load all its data, and a master's writes wait for a failover.
 */
export async function guardMemory({
  readUse,
  endForks,
  onEnded,
  log,
  signal,
}: MemoryGuardOptions): Promise<void> {
  let complainedAt = Number.NEGATIVE_INFINITY;
  while (!signal.aborted) {
    const use = readUse();
    if (use === undefined) return;
    const near = isNearLimit(use);
    if (near) {
      const mebibytes = { usedMiB: Math.round(use.needed / MiB), limitMiB: Math.round(use.limit / MiB) };
      if (endForks()) {
        log.warn(mebibytes, "ended a copy of the data: the pod is about to reach its memory limit");
        onEnded();
      } else if (performance.now() - complainedAt > complainEveryMs) {
        complainedAt = performance.now();
        log.error(mebibytes, "the pod is about to reach its memory limit: raise redis:memory");
      }
    }
    await delay(near ? settleMs : lookEveryMs, undefined, { signal }).catch(() => undefined);
  }
}
