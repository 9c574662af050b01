import { sameAddress } from "../../runtime/address.ts";
import { findInstance } from "./find-instance.ts";
import type { Observation, RedisSeen } from "./observation.ts";
import { findMaster, isFailingOver, masterOf } from "./status-report.ts";

/** Whether an instance can be fenced. */
export type FencePlan =
  | { readonly kind: "go"; readonly instance: RedisSeen; readonly leads: boolean }
  | { readonly kind: "refuse"; readonly reason: string };

/**
 * Judges whether an instance can be taken out of service without a risk for the others. Pure. All others have to be there and in sync, so
 * that afterwards one more may fail.
 */
export function planFence(seen: Observation, wanted: string): FencePlan {
  const instance = findInstance(seen, wanted);
  if (typeof instance === "string") return refuse(instance);
  if (instance.machine.fenced !== undefined) return refuse(`${instance.name} is fenced already`);
  const { instance: master, problem } = findMaster(seen);
  if (master === undefined) return refuse(`there is no master: ${problem}. redis-ha doctor says more`);
  if (isFailingOver(seen))
    return refuse("a failover is under way: wait until redis-ha status says that it is over");
  const others = seen.redis.filter((one) => one !== instance);
  if (others.length === 0) return refuse(`${instance.name} is the only instance`);
  for (const other of others) {
    const why = other === master ? undefined : missing(other, master);
    if (why !== undefined) return refuse(`${other.name} ${why}: all others have to be in sync`);
  }
  return { kind: "go", instance, leads: instance === master };
}

function missing(one: RedisSeen, master: RedisSeen): string | undefined {
  if (one.machine.fenced !== undefined) return "is fenced";
  if (one.problem !== undefined) return `doesn't answer (${one.problem})`;
  const followed = masterOf(one);
  const inSync = one.info.master_link_status === "up" && followed !== undefined;
  return inSync && sameAddress(followed, master.address) ? undefined : "is not in sync";
}

function refuse(reason: string): FencePlan {
  return { kind: "refuse", reason };
}
