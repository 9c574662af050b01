import { parseQuantity } from "./quantity.ts";

const MiB = 2 ** 20;

/**
 * Bytes of a Redis pod that are not Redis' data: the supervisor (about 30 MiB, with the bounds that its command line gives to
 * its heap), redis-server without data (8 MiB), and what the kernel keeps for the pod's processes and connections.
 */
const fixedBytes = 48 * MiB;

/**
 * The share of the rest that is for the data. While a fork writes the data to disk or to a replica, every page that a client
 * changes is there twice: all of them, when clients overwrite everything. With an allocator that needs 1.08 bytes for one, two
 * copies are 0.97 of the rest. Decision 022 has what was measured.
 */
const dataShare = 0.45;

/** The `maxmemory` of a Redis whose pod may use so much. @param limit a quantity of at least 128Mi. */
export function maxmemoryBytes(limit: string): number {
  return Math.floor(((parseQuantity(limit) ?? 0) - fixedBytes) * dataShare);
}

/** The smallest `redis:memory`, in whole steps of 32Mi, whose `maxmemory` is at least this. */
export function memoryFor(maxmemory: number): string {
  const step = 32 * MiB;
  return `${(Math.ceil((maxmemory / dataShare + fixedBytes) / step) * step) / MiB}Mi`;
}

/** Bytes of data that a pod with this `maxmemory` can hold as long as nothing is copied. */
export function memoryWithoutCopies(maxmemory: number): number {
  return Math.floor((maxmemory / dataShare) * 0.85);
}
