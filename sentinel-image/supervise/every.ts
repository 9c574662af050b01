import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { messageOf } from "../../runtime/log.ts";

/** What {@link every} does, and how often. */
export interface Repetition {
  /** For the log: what has failed. */
  readonly what: string;
  /** From one beginning to the next. */
  readonly ms: number;
  readonly job: () => Promise<void>;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Does something again and again until `signal`, never twice at a time. One that takes longer than `ms` is followed by the next at once. A
 * failure is logged, once as long as it stays the same, and the next one goes on.
 */
export async function every({ what, ms, job, log, signal }: Repetition): Promise<void> {
  let lastProblem = "";
  let nextAtMs = performance.now();
  while (!signal.aborted) {
    try {
      await job();
      lastProblem = "";
    } catch (error) {
      const problem = messageOf(error);
      if (problem !== lastProblem && !signal.aborted) log.warn({ problem }, `${what} failed`);
      lastProblem = problem;
    }
    // What was missed isn't made up for: after a pause of the machine one is enough.
    nextAtMs = Math.max(nextAtMs + ms, performance.now());
    await delay(Math.max(0, nextAtMs - performance.now()), undefined, { signal }).catch(() => undefined);
  }
}
