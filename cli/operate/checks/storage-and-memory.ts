import { isVolatile } from "../../../runtime/volatile-directory.ts";
import { type Check, ofEachRedis, quorumReplicas, readLog } from "./finding.ts";

const day = 86_400_000;
const percent = (share: number): string => `${Math.round(share * 100)} %`;

/** What a Redis needs of its machine. */
export const storageAndMemory: readonly Check[] = [
  ofEachRedis("aof-write", "a Redis that can't write its append-only file", ({ name, info }, seen) =>
    info.aof_last_write_status === "err"
      ? {
          severity: "error",
          finding: "it can't write its append-only file: it refuses all writes, and must not lead",
          cure: `free or enlarge its volume (redis:storage), or replace it; ${readLog(name, seen)}`,
        }
      : undefined,
  ),
  ofEachRedis("volume-full", "a volume that is full, or nearly so", ({ machine }) => {
    const { diskBytes = 0, diskFreeBytes = 0 } = machine;
    if (diskBytes === 0 || diskFreeBytes / diskBytes >= 0.1) return undefined;
    return {
      severity: diskFreeBytes / diskBytes < 0.03 ? "error" : "warning",
      finding: `only ${percent(diskFreeBytes / diskBytes)} of its volume is free`,
      cure: "pulumi config set redis:storage to more, and pulumi up; a rewrite of the append-only file needs room for a second copy",
    };
  }),
  ofEachRedis("aof-rewrite", "a rewrite of the append-only file that failed", ({ name, info }, seen) =>
    info.aof_last_bgrewrite_status === "err"
      ? {
          severity: "warning",
          finding: "the last rewrite of its append-only file failed: the file only grows",
          cure: `look for room on its volume and in its memory: ${readLog(name, seen)}`,
        }
      : undefined,
  ),
  ofEachRedis("memory-full", "a Redis whose memory is full, or nearly so", ({ info }) => {
    const [used, max] = [Number(info.used_memory), Number(info.maxmemory)];
    // With another policy Redis makes room itself, and is full all the time.
    if (!(max > 0) || info.maxmemory_policy !== "noeviction" || used < 0.9 * max) return undefined;
    return {
      severity: used >= max ? "error" : "warning",
      finding: `${percent(used / max)} of its maxmemory is used${used >= max ? ": it refuses writes" : ""}`,
      cure: "pulumi config set redis:memory to more, and pulumi up; or delete data; or let Redis evict (redis:maxmemoryPolicy)",
    };
  }),
  ofEachRedis("clients-full", "a Redis that is near its limit of connections", ({ info, config }) => {
    const [clients, max] = [Number(info.connected_clients), Number(config.maxclients)];
    if (!(max > 0) || clients < 0.9 * max) return undefined;
    return {
      severity: "warning",
      finding: `${clients} of ${max} connections are used`,
      cure: "lower proxy:maxDedicated or proxy:replicas; look for clients that subscribe, watch or block and never end",
    };
  }),
  ofEachRedis("certificate", "a certificate that ends soon", ({ machine }, { atMs }) => {
    const { certificateEndsMs } = machine;
    if (certificateEndsMs === undefined || certificateEndsMs - atMs > 14 * day) return undefined;
    const days = Math.floor((certificateEndsMs - atMs) / day);
    return {
      severity: days < 3 ? "error" : "warning",
      finding: days < 0 ? "its certificate has ended" : `its certificate ends in ${days} days`,
      cure: "renew it: pulumi up, with the stack's own authority a raised tls:generation; with your own issuer see why it didn't",
    };
  }),
  ofEachRedis(
    "drift",
    "settings that were changed behind the configuration's back",
    ({ config, info }, seen) => {
      const { redis } = seen;
      const wanted: Readonly<Record<string, string>> = {
        ...(isVolatile(info.config_file) ? {} : { appendonly: "yes" }),
        // Two instances would be no use without each other.
        ...(redis.length > 2 ? { "min-replicas-to-write": String(quorumReplicas(seen) || 1) } : {}),
      };
      const changed = Object.entries(wanted).filter(([name, value]) => (config[name] ?? value) !== value);
      if (changed.length === 0) return undefined;
      return {
        severity: "error",
        finding: changed.map(([name, value]) => `${name} is ${config[name]}, not ${value}`).join(", "),
        cure: `somebody has set that by CONFIG SET: set it back, or restart the instance. Acknowledged writes are not safe so`,
      };
    },
  ),
  {
    name: "clock-skew",
    summary: "machines whose clocks differ",
    find: ({ redis }) => {
      const clocks = redis.flatMap(({ name, machine }) =>
        machine.clockMs === undefined
          ? []
          : [{ name, ms: machine.clockMs, errorMs: machine.clockErrorMs ?? 0 }],
      );
      const [first] = clocks.toSorted((a, b) => a.ms - b.ms);
      // What the question itself took may be the whole difference.
      return clocks
        .filter(({ ms, errorMs }) => first !== undefined && ms - errorMs - first.ms > 3000)
        .map(({ name, ms }) => ({
          subject: name,
          severity: "warning" as const,
          finding: `its clock is ${((ms - (first?.ms ?? 0)) / 1000).toFixed(1)} s ahead of ${first?.name}'s`,
          cure: "mend the time service of the nodes: expiry times and the age of copies are judged by clocks",
        }));
    },
  },
];
