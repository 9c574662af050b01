import { setTimeout as delay } from "node:timers/promises";

/** Bounds of {@link eventually}, in milliseconds. */
export interface EventuallyOptions {
  /** Give up after this long. Default 5000. */
  readonly withinMs?: number;
  /** Pause between two tries. Default 50. */
  readonly everyMs?: number;
}

/**
 * Repeats `probe` until it returns without throwing and gives its value.
 * Fails with the last error, so that a time-out says what was still wrong.
 */
export async function eventually<T>(
  probe: () => T | Promise<T>,
  { withinMs = 5000, everyMs = 50 }: EventuallyOptions = {},
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    try {
      return await probe();
    } catch (error) {
      if (performance.now() >= deadline) {
        throw new Error(`not within ${withinMs} ms: ${error instanceof Error ? error.message : error}`, {
          cause: error,
        });
      }
    }
    await delay(everyMs);
  }
}
