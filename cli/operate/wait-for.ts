import { setTimeout as delay } from "node:timers/promises";
import { UserError } from "../../runtime/user-error.ts";
import { findMaster } from "./status-report.ts";
import type { Target } from "./target.ts";

/** How long something is waited for, and what is said when it doesn't come. */
export interface Waiting {
  readonly withinMs: number;
  readonly everyMs: number;
  /** @param found what was there instead at the last look. */
  readonly late: (found: string) => string;
}

/**
 * Looks again and again until something is so. A look that fails is none: an API server that is slow once is no reason to leave an operator half way.
 *
 * @param look what is there instead; undefined: it is so.
 * @throws {UserError} when the time is over.
 */
export async function waitFor(
  look: () => Promise<string | undefined>,
  { withinMs, everyMs, late }: Waiting,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    let found: string | undefined;
    try {
      found = await look();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      found = error.message;
    }
    if (found === undefined) return;
    if (performance.now() > deadline) throw new UserError(late(found));
    await delay(everyMs);
  }
}

/** Waits until the Sentinels name this instance, and it says itself that it leads. @throws {UserError} when the time is over. */
export async function waitUntilLeads(target: Target, name: string, waiting: Waiting): Promise<void> {
  await waitFor(async () => {
    const { instance, problem } = findMaster(await target.observe({ logs: false }));
    if (instance?.name === name) return undefined;
    return instance === undefined ? problem : `${instance.name} leads`;
  }, waiting);
}
