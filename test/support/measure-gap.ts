import { setTimeout as delay } from "node:timers/promises";

/** How a repeated write went. */
export interface GapReport {
  readonly writes: number;
  /** The longest time between two writes that succeeded, and up to the end. */
  readonly longestGapMs: number;
}

/**
 * Writes every 20 ms for a while, or until it is `over`, whatever fails, and tells for how long nothing could be written.
 */
export async function measureGap(
  write: () => Promise<void>,
  forMs: number,
  over: () => boolean = () => false,
): Promise<GapReport> {
  const end = performance.now() + forMs;
  let writes = 0;
  let longestGapMs = 0;
  let lastSuccess = performance.now();
  const note = (): void => {
    longestGapMs = Math.max(longestGapMs, performance.now() - lastSuccess);
  };
  while (performance.now() < end && !over()) {
    try {
      await write();
      note();
      lastSuccess = performance.now();
      writes++;
    } catch {
      // A failed write is a longer gap, which is what counts here.
    }
    await delay(20);
  }
  note();
  return { writes, longestGapMs };
}
