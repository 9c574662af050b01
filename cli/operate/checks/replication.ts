import { formatAddress, sameAddress } from "../../../runtime/address.ts";
import { versionOf } from "../../../runtime/engine.ts";
import { heirPriority } from "../../../sentinel-image/failover/plan-hand-over.ts";
import { parseHeartbeat } from "../../../sentinel-image/supervise/heartbeat.ts";
import { findMaster, isFailingOver, masterOf, offsetOf } from "../status-report.ts";
import { type Check, ofEachRedis, quorumReplicas, readLog, revive } from "./finding.ts";

const behindBytes = 16 * 2 ** 20;
/** The master beats twice a second. */
const staleMs = 10_000;

/** Who leads, and how the others follow. */
export const replicationChecks: readonly Check[] = [
  {
    name: "failover-under-way",
    summary: "a failover that isn't over",
    find: (seen) =>
      isFailingOver(seen)
        ? [
            {
              subject: "sentinels",
              severity: "warning" as const,
              finding: "a failover is under way",
              cure: "wait some seconds and look again",
            },
          ]
        : [],
  },
  ofEachRedis("second-master", "an instance that leads and isn't named", ({ info, address }, seen) => {
    const { agreed } = findMaster(seen);
    if (info.role !== "master" || agreed === undefined || sameAddress(agreed, address)) return undefined;
    return {
      severity: "error",
      finding: `it calls itself master, and the Sentinels name ${formatAddress(agreed)}`,
      cure: "its supervisor makes it a replica within a second or two. If it stays, its supervisor doesn't reach the Sentinels: look at its log",
    };
  }),
  {
    name: "no-master",
    summary: "no master that works",
    find: (seen) => {
      const { instance, problem } = findMaster(seen);
      return instance !== undefined
        ? []
        : [
            {
              subject: "redis",
              severity: "error" as const,
              finding: `there is no master: ${problem}`,
              cure: "mend what stands above this line first. When instances wait for somebody who won't come back: redis-ha force-master, docs/operate.md",
            },
          ];
    },
  },
  ofEachRedis("wrong-master", "a replica that follows another one than the master", (redis, seen) => {
    const { agreed } = findMaster(seen);
    const followed = masterOf(redis);
    if (agreed === undefined || followed === undefined || sameAddress(agreed, followed)) return undefined;
    return {
      severity: "error",
      finding: `it follows ${formatAddress(followed)}, and the master is ${formatAddress(agreed)}`,
      cure: `its supervisor re-points it within a second or two. If it stays: ${readLog(redis.name, seen)}`,
    };
  }),
  ofEachRedis("copying", "a replica that copies everything", ({ info }) =>
    info.master_sync_in_progress === "1"
      ? {
          severity: "warning",
          finding: `it copies everything from the master, ${info.master_sync_left_bytes ?? "?"} bytes are left`,
          cure: "wait: until then it can't be promoted. If it begins again and again, look for the reason in the master's log",
        }
      : undefined,
  ),
  ofEachRedis("no-link", "a replica without a link with the master", (redis, seen) => {
    const { info, name } = redis;
    const { instance } = findMaster(seen);
    if (info.role !== "slave" || info.master_link_status === "up" || info.master_sync_in_progress === "1")
      return undefined;
    if (instance === undefined) return undefined;
    return {
      severity: "error",
      finding: `it has had no link with the master for ${info.master_link_down_since_seconds ?? "?"} s`,
      cure: `look at the network between them: ${readLog(name, seen)}`,
    };
  }),
  ofEachRedis("unpromotable", "a replica that must not be promoted", (redis, seen) => {
    const { info, config, name } = redis;
    if (info.role !== "slave" || Number(config["replica-priority"] ?? info.slave_priority) > 0)
      return undefined;
    const why =
      info.aof_last_write_status === "err"
        ? "it can't write its append-only file"
        : info.master_link_status === "up"
          ? "it has just come into sync, or its supervisor doesn't run"
          : "it isn't in sync";
    return {
      severity: "error",
      finding: `it must not be promoted (replica-priority 0): ${why}`,
      cure: `its supervisor allows it a second after it is in sync; its log says why not: ${readLog(name, seen)}`,
    };
  }),
  ofEachRedis("favoured", "a priority that a hand-over has left behind", ({ config, name, info }, seen) =>
    config["replica-priority"] === String(heirPriority)
      ? {
          severity: "warning",
          finding: `its replica-priority is ${heirPriority}: a hand-over to it was broken off${info.role === "master" ? "" : ", and it would be promoted before all others"}`,
          cure: `restart it: ${revive(name, seen)}`,
        }
      : undefined,
  ),
  ofEachRedis("behind", "a replica far behind the master", (redis, seen) => {
    const { instance } = findMaster(seen);
    const [master, own] = [instance && offsetOf(instance), offsetOf(redis)];
    if (redis.info.role !== "slave" || redis.info.master_link_status !== "up") return undefined;
    if (master === undefined || own === undefined || master - own <= behindBytes) return undefined;
    return {
      severity: "warning",
      finding: `it is ${Math.round((master - own) / 2 ** 20)} MiB behind the master: so much would be lost with it`,
      cure: "look for a slow network or disk, or for one that is short of CPU; redis:durability sync makes writers wait",
    };
  }),
  ofEachRedis(
    "quorum-margin",
    "with redis:durability quorum, too few copies of the data",
    ({ info }, seen) => {
      const needed = quorumReplicas(seen);
      if (needed === 0 || info.role !== "master") return undefined;
      const good = Number(info.min_slaves_good_slaves ?? 0);
      if (good > needed) return undefined;
      return {
        severity: good < needed ? "error" : "warning",
        finding:
          good < needed
            ? `only ${good} replicas keep up and redis:durability quorum needs ${needed}: reads and writes wait`
            : `${good} replicas keep up, as many as redis:durability quorum needs: the next loss stops reads and writes until an instance is back`,
        cure: "bring the instance that is missing back; one whose volume is lost starts with an empty one and copies everything",
      };
    },
  ),
  ofEachRedis("versions", "instances with different versions", ({ info }, { redis }) => {
    const nameOf = (one: typeof info): string[] => {
      const found = versionOf(one);
      return found === undefined ? [] : [`${found.engine} ${found.version}`];
    };
    const versions = new Set(redis.flatMap((one) => nameOf(one.info)));
    const [own] = nameOf(info);
    if (own === undefined || versions.size < 2 || own === [...versions].toSorted().at(-1)) return undefined;
    return {
      severity: "warning",
      finding: `it runs ${own}, another one ${[...versions].toSorted().at(-1)}`,
      cure: "a rollout isn't over: run pulumi up again",
    };
  }),
  ofEachRedis("heartbeat", "a heartbeat that isn't kept", ({ info, heartbeat, machine }, { atMs }) => {
    if (info.role !== "master") return undefined;
    const beat = parseHeartbeat(heartbeat);
    const age = (machine.askedMs ?? atMs) - (beat?.ms ?? 0);
    // A master takes no writes without a replica: then this is no fault of its own.
    if (Number(info.connected_slaves) === 0 || (beat !== undefined && age <= staleMs)) return undefined;
    return {
      severity: "error",
      finding:
        beat === undefined
          ? "the master keeps no heartbeat"
          : `the master's heartbeat is ${Math.round(age / 1000)} s old`,
      cure: "its supervisor doesn't run or can't write: how new a copy is can't be judged after a crash. Look at its log",
    };
  }),
];
