import { setTimeout as delay } from "node:timers/promises";
import { ControlConnection } from "../../quorum/control-connection.ts";
import type { Address } from "../../runtime/address.ts";
import { monotonicMs } from "./monotonic-clock.ts";

/** Not a key of a ledger: nobody's books hold it. */
const probeKey = "chaos:probe";

/**
 * Writes straight to a new master until it takes the first write: while no replica has joined it, it refuses all. No proxy
 * and no client can be faster than that.
 *
 * @returns when it was taken, ms of the monotonic clock; undefined when it wasn't within `withinMs`.
 */
export async function probeMaster(
  address: Address,
  password: string,
  withinMs = 10_000,
): Promise<number | undefined> {
  const connection = new ControlConnection({ address, password: () => password });
  const deadline = monotonicMs() + withinMs;
  try {
    while (monotonicMs() < deadline) {
      try {
        await connection.call("SET", probeKey, "x", "PX", 1000);
        return monotonicMs();
      } catch {
        // NOREPLICAS, or not yet a master: that is what is waited for here.
        await delay(1);
      }
    }
    return undefined;
  } finally {
    connection.close();
  }
}
