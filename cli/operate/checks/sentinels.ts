import { majorityOf } from "../../../quorum/agreement.ts";
import { formatAddress, sameAddress } from "../../../runtime/address.ts";
import type { Fields, Observation, SentinelSeen } from "../observation.ts";
import { findMaster, flagsOf, promotableOf, usableSentinels } from "../status-report.ts";
import { type Check, ofEachSentinel, revive } from "./finding.ts";

const nameOf = (fields: Fields): string => `${fields.ip}:${fields.port}`;

const settings = ["quorum", "down-after-milliseconds", "failover-timeout", "parallel-syncs"];

/** What the Sentinels know, and whether they could do their part. */
export const sentinelChecks: readonly Check[] = [
  ofEachSentinel(
    "sentinel-ghost",
    "hosts that a Sentinel knows and nobody has configured",
    (sentinel, seen) => {
      const ghosts = ghostsOf(sentinel, seen);
      if (ghosts.length === 0) return undefined;
      return {
        severity: "error",
        finding: `it knows ${ghosts.join(", ")}, which ${ghosts.length === 1 ? "isn't" : "aren't"} configured and count${ghosts.length === 1 ? "s" : ""} in its majority or as a replica`,
        cure: "the master has it forget them within 5 s when all is well. One that it has never seen alive stays: SENTINEL RESET on this Sentinel, only when nothing else is wrong",
      };
    },
  ),
  ofEachSentinel("sentinel-tilt", "a Sentinel in TILT", ({ info }) =>
    info.sentinel_tilt === "1"
      ? {
          severity: "error",
          finding: "it is in TILT: its clock jumped or its process stood still, and it only watches for 30 s",
          cure: "wait 30 s; if it comes again its node is short of CPU or its clock jumps",
        }
      : undefined,
  ),
  ofEachSentinel("sentinel-settings", "Sentinels with different settings", (sentinel, { sentinels }) => {
    const differs = settings.filter((name) => {
      const mine = sentinel.master[name];
      const same = sentinels.filter(({ master }) => master[name] === mine).length;
      return mine !== undefined && same < majorityOf(sentinels.length);
    });
    if (differs.length === 0) return undefined;
    return {
      severity: "warning",
      finding: `${differs.map((name) => `${name} ${sentinel.master[name]}`).join(", ")}: the others have another value`,
      cure: "somebody has set that by SENTINEL SET, or a rollout isn't over: restart this Sentinel, or run pulumi up",
    };
  }),
  ofEachSentinel(
    "sentinel-quorum",
    "a quorum below a majority, or above what there is",
    ({ master }, { sentinels }) => {
      const quorum = Number(master.quorum);
      const majority = majorityOf(sentinels.length);
      if (quorum >= majority && quorum <= sentinels.length) return undefined;
      return {
        severity: "error",
        finding: `its quorum is ${quorum} with ${sentinels.length} Sentinels`,
        cure: `pulumi config set sentinel:quorum to a number from ${majority} to ${sentinels.length}`,
      };
    },
  ),
  ofEachSentinel("sentinel-incomplete", "a Sentinel that doesn't know all others", (sentinel, seen) => {
    const missing = seen.sentinels.filter(
      (other) =>
        other !== sentinel &&
        other.problem === undefined &&
        !sentinel.others.some((fields) => nameOf(fields) === formatAddress(other.address)),
    );
    if (missing.length === 0) return undefined;
    return {
      severity: "error",
      finding: `it doesn't know ${missing.map(({ name }) => name).join(", ")}`,
      cure: "they find one another over the master within seconds; if they don't, look at the network policies between the Sentinels and to Redis",
    };
  }),
  ofEachSentinel("sentinel-unreached", "Sentinels that answer, but not one another", (sentinel, seen) => {
    const away = ["s_down", "o_down", "disconnected"];
    const lost = seen.sentinels.filter(
      (other) =>
        other.problem === undefined &&
        sentinel.others.some(
          (fields) =>
            nameOf(fields) === formatAddress(other.address) &&
            flagsOf(fields).some((flag) => away.includes(flag)),
        ),
    );
    if (lost.length === 0) return undefined;
    return {
      severity: "error",
      finding: `it doesn't reach ${lost.map(({ name }) => name).join(", ")}, which ${lost.length === 1 ? "answers" : "answer"} here`,
      cure: "look at the network between their nodes, and at the network policies",
    };
  }),
  {
    name: "sentinel-same-id",
    summary: "Sentinels with the same ID: they have one vote together",
    find: ({ sentinels }) =>
      sentinels
        .filter(
          ({ id, name }) => id !== "" && sentinels.some((other) => other.name !== name && other.id === id),
        )
        .map(({ name, id }) => ({
          subject: name,
          severity: "error" as const,
          finding: `it has the same ID as another one, ${id.slice(0, 8)}…`,
          cure: "a volume was copied: empty the volume of one of them and restart it",
        })),
  },
  ofEachSentinel(
    "sentinel-disagrees",
    "a Sentinel that names another master than the majority",
    (sentinel, seen) => {
      const { agreed } = findMaster(seen);
      if (agreed === undefined || sentinel.named === undefined || sameAddress(agreed, sentinel.named))
        return undefined;
      return {
        severity: "error",
        finding: `it names ${formatAddress(sentinel.named)} at epoch ${sentinel.master["config-epoch"]}, the majority ${formatAddress(agreed)}`,
        cure: "the master repairs it after 5 s. If it stays, restart it: it asks the others at its start",
      };
    },
  ),
  ofEachSentinel(
    "sentinel-sees-down",
    "a Sentinel that sees a master down that answers here",
    ({ master, name }, seen) => {
      const down = flagsOf(master).filter((flag) => ["s_down", "o_down"].includes(flag));
      const { instance } = findMaster(seen);
      if (down.length === 0 || instance === undefined) return undefined;
      return {
        severity: "error",
        finding: `it sees the master ${down.join(" and ")}, which answers here`,
        cure: `look at the network between ${name} and ${instance.name}`,
      };
    },
  ),
  {
    name: "no-majority",
    summary: "too few Sentinels for a failover",
    find: (seen) => {
      const { sentinels } = seen;
      const needed = majorityOf(sentinels.length);
      const able = sentinels.filter(
        (one) =>
          one.problem === undefined &&
          usableSentinels(one) >= Math.max(Number(one.master.quorum), majorityOf(one.others.length + 1)),
      );
      if (able.length >= needed) return [];
      const ill = sentinels.find(({ problem }) => problem !== undefined);
      return [
        {
          subject: "sentinels",
          severity: "error" as const,
          finding: `${able.length} of ${sentinels.length} Sentinels reach a quorum: nobody can be promoted when the master fails`,
          cure: ill === undefined ? "mend what keeps them from one another" : revive(ill.name, seen),
        },
      ];
    },
  },
  ofEachSentinel("sentinel-promotable", "a Sentinel that could promote nobody", (sentinel, { redis }) => {
    if (redis.length < 2 || promotableOf(sentinel) > 0) return undefined;
    return {
      severity: "error",
      finding: "it could promote no replica: if the master fails now, there is no other one",
      cure: "see why the replicas aren't in sync or must not be promoted",
    };
  }),
];

function ghostsOf({ others, replicas }: SentinelSeen, { sentinels, redis }: Observation): string[] {
  const known = (parts: Observation["sentinels"] | Observation["redis"], fields: Fields): boolean =>
    parts.some(({ address }) => formatAddress(address) === nameOf(fields));
  return [
    ...others.filter((fields) => !known(sentinels, fields)).map((fields) => `Sentinel ${nameOf(fields)}`),
    ...replicas.filter((fields) => !known(redis, fields)).map((fields) => `replica ${nameOf(fields)}`),
  ];
}
