import { waitUntil } from "./wait-until.ts";
import type { WorkloadProcess } from "./workload-process.ts";

/**
 * Waits until every client has had a write acknowledged since a moment.
 *
 * @param sinceMs of the monotonic clock.
 * @throws {Error} that names the clients that haven't within `patienceMs`.
 */
export async function writesGoOn(
  workers: readonly WorkloadProcess[],
  sinceMs: number,
  patienceMs: number,
): Promise<void> {
  await waitUntil(
    "every client writes",
    () => {
      const stuck = workers.filter(({ lastWriteMs }) => lastWriteMs < sinceMs);
      if (stuck.length === 0) return true;
      throw new Error(`not ${stuck.map(({ client }) => client).join(", ")}`);
    },
    patienceMs,
  );
}
