import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What the kernel counts against a pod's memory limit, in bytes. */
export interface MemoryUse {
  readonly limit: number;
  /** Without files' contents, which the kernel gives up before it kills. */
  readonly needed: number;
}

/** Above this there is no limit: cgroup v1 says so by a number near 2^63. */
const unlimited = 2 ** 60;

/**
 * Reads what this container uses and may use, from cgroup v2 or v1.
 *
 * @param root where the container sees its own cgroup. Default: where every container runtime shows it.
 * @returns undefined when there is no limit, or none that can be read.
 */
export function readMemoryUse(root = "/sys/fs/cgroup"): MemoryUse | undefined {
  const v2 = { limit: join(root, "memory.max"), used: join(root, "memory.current") };
  const v1 = {
    limit: join(root, "memory", "memory.limit_in_bytes"),
    used: join(root, "memory", "memory.usage_in_bytes"),
  };
  for (const [files, stat] of [
    [v2, join(root, "memory.stat")],
    [v1, join(root, "memory", "memory.stat")],
  ] as const) {
    const limit = readNumber(files.limit);
    const used = readNumber(files.used);
    if (limit === undefined || used === undefined || limit >= unlimited) continue;
    return { limit, needed: used - readFileBytes(stat) };
  }
  return undefined;
}

/** "max" is no number. */
function readNumber(file: string): number | undefined {
  const text = readText(file)?.trim();
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** Pages of files, recently used or not. Those of memory file systems aren't among them. v1 has the sums of sub-groups, too. */
function readFileBytes(file: string): number {
  const fields = new Map(
    (readText(file) ?? "").split("\n").map((line) => line.split(" ") as [string, string | undefined]),
  );
  return ["active_file", "inactive_file"]
    .map((name) => Number(fields.get(`total_${name}`) ?? fields.get(name) ?? 0))
    .reduce((sum, bytes) => sum + bytes, 0);
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
