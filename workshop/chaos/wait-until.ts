import { setTimeout as delay } from "node:timers/promises";
import { monotonicMs } from "./monotonic-clock.ts";

/**
 * Asks `probe` every 10 ms until it gives something else than undefined.
 *
 * @param what for the error: "a new master was announced".
 * @throws {Error} when that takes longer than `withinMs`; with the last error of `probe`, if there was one.
 */
export async function waitUntil<T>(
  what: string,
  probe: () => T | undefined | Promise<T | undefined>,
  withinMs: number,
): Promise<T> {
  const deadline = monotonicMs() + withinMs;
  let problem: unknown;
  for (;;) {
    try {
      const result = await probe();
      if (result !== undefined) return result;
      problem = undefined;
    } catch (error) {
      problem = error;
    }
    if (monotonicMs() > deadline) {
      const why = problem instanceof Error ? `: ${problem.message}` : "";
      throw new Error(`not within ${withinMs / 1000} s: ${what}${why}`);
    }
    await delay(10);
  }
}
