import type { ControlConnection } from "../../quorum/control-connection.ts";

/**
 * Sentinel's own periods in ms. With the built-in ones (INFO every 10 s) a down-after below 3.5 s can end in no master at
 * all: no replica's INFO is ever fresh enough. Sentinel doesn't store them, so they are set again after its every start.
 */
export const sentinelTimers: Readonly<Record<string, number>> = {
  "ping-period": 300,
  "ask-period": 300,
  "publish-period": 500,
  "info-period": 1000,
};

/**
 * Puts the timers in force on one Sentinel; does nothing when they are.
 *
 * @returns whether something had to be set.
 * @throws {Error} when the Sentinel doesn't answer or refuses.
 */
export async function applySentinelTimers(connection: ControlConnection): Promise<boolean> {
  const current = await connection.call("SENTINEL", "DEBUG");
  const fields = new Map<string, string>();
  if (Array.isArray(current)) {
    for (let i = 0; i + 1 < current.length; i += 2) {
      fields.set(String(current[i]).toLowerCase(), String(current[i + 1]));
    }
  }
  const missing = Object.entries(sentinelTimers).filter(([name, ms]) => fields.get(name) !== String(ms));
  if (missing.length === 0) return false;
  await connection.call("SENTINEL", "DEBUG", ...missing.flat());
  return true;
}
