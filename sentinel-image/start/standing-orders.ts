import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";

// Whoever may write to the volume may order, as for a hand-over: failover/hand-over-orders.ts.

/** An instance on whose volume this file lies serves nothing: it starts no server as long as it is there. Its content says why. */
export const fenceFile = "fenced";
/** The next start leads, whatever the Sentinels say; the file is removed when that is taken. */
export const forceFile = "force-master.order";
/** The supervisor ends as at SIGTERM, and whoever has started it starts it again; the file is removed when it is taken. */
export const restartFile = "restart.order";

const lookEveryMs = 200;
const remindEveryMs = 60_000;

/** Calls `stop` when a restart is ordered, until `signal`. An order that an earlier run has left behind is none. */
export async function heedRestartOrders({
  directory,
  stop,
  log,
  signal,
}: {
  readonly directory: string;
  readonly stop: () => void;
  readonly log: Logger;
  readonly signal: AbortSignal;
}): Promise<void> {
  const file = join(directory, restartFile);
  rmSync(file, { force: true });
  while (!signal.aborted) {
    if (existsSync(file)) {
      rmSync(file, { force: true });
      log.warn("an operator orders a restart");
      stop();
      return;
    }
    await delay(lookEveryMs, undefined, { signal }).catch(() => undefined);
  }
}

/**
 * Waits for as long as the instance is fenced.
 *
 * @param onFenced told once, when it is.
 * @throws {Error} when `signal` ends the wait.
 */
export async function whileFenced({
  directory,
  onFenced,
  log,
  signal,
}: {
  readonly directory: string;
  readonly onFenced: () => void;
  readonly log: Logger;
  readonly signal: AbortSignal;
}): Promise<void> {
  const file = join(directory, fenceFile);
  if (!existsSync(file)) return;
  onFenced();
  let remindedMs = Number.NEGATIVE_INFINITY;
  while (existsSync(file)) {
    if (performance.now() - remindedMs >= remindEveryMs) {
      log.warn({ why: readFileSync(file, "utf8").trim() }, "fenced by an operator: it serves nothing");
      remindedMs = performance.now();
    }
    await delay(lookEveryMs, undefined, { signal });
  }
  log.info("the fence is gone");
}

/** Whether an operator has ordered that this start leads. The order counts once. */
export function takeForceOrder(directory: string): boolean {
  const file = join(directory, forceFile);
  if (!existsSync(file)) return false;
  rmSync(file);
  return true;
}
