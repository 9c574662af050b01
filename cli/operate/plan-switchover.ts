import { majorityOf } from "../../quorum/agreement.ts";
import { readReplica } from "../../quorum/ask-sentinel.ts";
import { type Address, formatAddress, sameAddress } from "../../runtime/address.ts";
import { findInstance } from "./find-instance.ts";
import type { Observation, RedisSeen } from "./observation.ts";
import { findMaster, isFailingOver, masterOf, offsetOf, reportStatus } from "./status-report.ts";

/** Whether the role can be handed over, and to whom. */
export type SwitchoverPlan =
  | { readonly kind: "go"; readonly master: RedisSeen; readonly heir: RedisSeen }
  | { readonly kind: "refuse"; readonly reason: string };

/** What a replica receives in the 0.4 s that it is given. */
const smallLagBytes = 2 ** 20;

/**
 * Judges whether the master's role can be handed to an instance without a risk. Pure.
 *
 * @param to number or name of the instance; unset: the first one that can have it.
 */
export function planSwitchover(seen: Observation, to: string | undefined): SwitchoverPlan {
  const { instance: master, problem } = findMaster(seen);
  if (master === undefined) return refuse(`there is no master: ${problem}. redis-ha doctor says more`);
  if (isFailingOver(seen))
    return refuse("a failover is under way: wait until redis-ha status says that it is over");
  const needed = majorityOf(seen.sentinels.length);
  const { sentinels } = reportStatus(seen);
  // One in TILT only watches.
  const able = sentinels.filter(
    ({ ckquorum }, i) => ckquorum && seen.sentinels[i]?.info.sentinel_tilt !== "1",
  ).length;
  if (able < needed) {
    return refuse(
      `only ${able} of ${sentinels.length} Sentinels reach a quorum and act, ${needed} are needed to promote anybody`,
    );
  }
  const others = seen.redis.filter((one) => one !== master);
  if (to === undefined) {
    const heir = others.find((one) => whyNot(one, master, seen) === undefined);
    if (heir !== undefined) return { kind: "go", master, heir };
    return refuse(others.map((one) => `${one.name} ${whyNot(one, master, seen)}`).join("; "));
  }
  const heir = findInstance(seen, to);
  if (typeof heir === "string") return refuse(heir);
  if (heir === master) return refuse(`${heir.name} is the master already`);
  const reason = whyNot(heir, master, seen);
  return reason === undefined ? { kind: "go", master, heir } : refuse(`${heir.name} ${reason}`);
}

/** Why an instance must not become the master now; undefined: it may. */
function whyNot(heir: RedisSeen, master: RedisSeen, { sentinels }: Observation): string | undefined {
  const { info, config, problem, address } = heir;
  if (problem !== undefined) return `doesn't answer: ${problem}`;
  const followed = masterOf(heir);
  if (followed === undefined || !sameAddress(followed, master.address))
    return `follows ${followed === undefined ? "nobody" : formatAddress(followed)}, not the master`;
  if (info.master_link_status !== "up") return "is not in sync: it has no link with the master";
  const behind = (offsetOf(master) ?? 0) - (offsetOf(heir) ?? 0);
  if (behind > smallLagBytes)
    return `is ${behind} bytes behind the master: at most ${smallLagBytes} are allowed`;
  if (Number(config["replica-priority"] ?? info.slave_priority) === 0)
    return "must not be promoted: its replica-priority is 0, its log says why";
  if (info.aof_last_write_status === "err") return "can't write its append-only file";
  const maxmemory = Number(info.maxmemory);
  if (maxmemory > 0 && maxmemory < Number(master.info.used_memory))
    return `has a maxmemory of ${maxmemory} bytes, and the master uses ${master.info.used_memory}`;
  const knows = sentinels.filter(({ replicas }) => replicas.some((fields) => isUsable(fields, address)));
  if (knows.length === 0) return "is not one that any Sentinel could promote: wait a second or two";
  return undefined;
}

function isUsable(fields: Readonly<Record<string, string>>, wanted: Address): boolean {
  const { address, promotable } = readReplica(new Map(Object.entries(fields)));
  return promotable && sameAddress(address, wanted);
}

function refuse(reason: string): SwitchoverPlan {
  return { kind: "refuse", reason };
}
