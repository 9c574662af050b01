import type { ControlConnection } from "../../quorum/control-connection.ts";
import { parseInfo } from "../start/ask-peer.ts";
import { readMemoryUse } from "../supervise/pod-memory.ts";

const MiB = 2 ** 20;

/** What a server without data needs, and what has to stay free of the pod's limit. */
const serverBytes = 12 * MiB;
const reserveBytes = 32 * MiB;

/** Whether a second copy of a server's data fits beside it. @returns why not; no problem: it fits, or nothing limits it. */
export async function verificationRoom(
  server: ControlConnection,
  readUse = readMemoryUse,
): Promise<{ readonly problem?: string }> {
  const use = readUse();
  if (use === undefined) return {};
  const info = parseInfo(String(await server.call("INFO", "memory")));
  // What the allocator needs beyond the data, as it does for those that are there.
  const needed = Math.ceil(Number(info.get("used_memory_dataset") ?? 0) * 1.1) + serverBytes + reserveBytes;
  const free = use.limit - use.needed;
  if (needed <= free) return {};
  return {
    problem: `it takes ${Math.ceil(needed / MiB)} MiB to load, and the pod has ${Math.floor(free / MiB)} MiB left`,
  };
}
