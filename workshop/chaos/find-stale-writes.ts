import { type Address, sameAddress } from "../../runtime/address.ts";
import type { CommandName } from "./history.ts";

/** A client's write that an instance executed, as the instance itself says. */
export interface Execution {
  readonly instance: Address;
  readonly atMs: number;
  readonly round: string;
  readonly client: string;
  readonly command: CommandName;
  /** Empty for INCR. */
  readonly id: string;
}

/** A new master that a Sentinel announced. */
export interface Announcement {
  readonly sentinel: string;
  readonly channel: string;
  readonly master: Address;
  readonly atMs: number;
}

/** What is on its way when the announcement comes is nobody's mistake. */
export const staleGraceMs = 50;

/**
 * Writes that another instance than the announced master executed more than 50 ms after the first announcement of that
 * master, and before another one was announced.
 */
export function findStaleWrites(
  executions: readonly Execution[],
  announcements: readonly Announcement[],
): Execution[] {
  const firsts: Announcement[] = [];
  for (const announcement of [...announcements].sort((a, b) => a.atMs - b.atMs)) {
    const last = firsts.at(-1);
    if (last === undefined || !sameAddress(last.master, announcement.master)) firsts.push(announcement);
  }
  return executions.filter((execution) => {
    const current = firsts.findLast(({ atMs }) => atMs + staleGraceMs < execution.atMs);
    if (current === undefined || sameAddress(current.master, execution.instance)) return false;
    // The next one may have been announced within the grace of this write; and the proxies may have heard that before this harness.
    return !firsts.some(
      ({ atMs, master }) =>
        atMs > current.atMs &&
        atMs - staleGraceMs <= execution.atMs &&
        sameAddress(master, execution.instance),
    );
  });
}

/**
 * With `redis:durability quorum` an announcement only nominates: until a majority has joined the nominee, the master before may have that majority, and
 * goes on. So each counts from the first write that its master has executed itself, and one whose master never did doesn't count.
 */
export function thoseThatLed(
  announcements: readonly Announcement[],
  executions: readonly Execution[],
): Announcement[] {
  const sorted = [...announcements].sort((a, b) => a.atMs - b.atMs);
  return sorted.flatMap((announcement, i) => {
    const untilMs = sorted.slice(i + 1).find(({ master }) => !sameAddress(master, announcement.master))?.atMs;
    const writes = executions.filter(
      ({ instance, atMs }) =>
        sameAddress(instance, announcement.master) &&
        atMs >= announcement.atMs - staleGraceMs &&
        atMs < (untilMs ?? Number.POSITIVE_INFINITY),
    );
    if (writes.length === 0) return [];
    return [
      { ...announcement, atMs: Math.max(announcement.atMs, Math.min(...writes.map(({ atMs }) => atMs))) },
    ];
  });
}
