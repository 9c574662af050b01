import { type Heartbeat, isNewer, parseHeartbeat } from "../../sentinel-image/supervise/heartbeat.ts";
import { findInstance } from "./find-instance.ts";
import type { Observation, RedisSeen } from "./observation.ts";
import { findMaster } from "./status-report.ts";

/** Whether an instance can be made master by force, and what that costs. */
export type ForcePlan =
  | { readonly kind: "go"; readonly instance: RedisSeen; readonly losses: readonly string[] }
  | { readonly kind: "refuse"; readonly reason: string };

/** Judges it. Pure. Where a master works, its role is handed over instead, without a loss. */
export function planForce(seen: Observation, wanted: string): ForcePlan {
  const instance = findInstance(seen, wanted);
  if (typeof instance === "string") return { kind: "refuse", reason: instance };
  const { name, machine } = instance;
  if (machine.fenced !== undefined)
    return { kind: "refuse", reason: `${name} is fenced: redis-ha unfence ${name} first` };
  const { instance: master } = findMaster(seen);
  if (master !== undefined) {
    const reason = `${master.name} leads and works: redis-ha switchover --to ${name} loses nothing`;
    return { kind: "refuse", reason: master === instance ? `${name} is the master already` : reason };
  }
  const own = copyOf(instance);
  const others = seen.redis.filter((one) => one !== instance);
  return { kind: "go", instance, losses: [describe(name, own), ...others.map((one) => compare(one, own))] };
}

/** How new a copy is: what the server says, else what its supervisor noted last. */
function copyOf({ heartbeat, machine }: RedisSeen): Heartbeat | undefined {
  return parseHeartbeat(heartbeat) ?? machine.noted;
}

function describe(name: string, copy: Heartbeat | undefined): string {
  if (copy === undefined) return `${name}: nobody knows how new its copy is; it may be empty`;
  return `${name}: its copy is of ${timeOf(copy)}, epoch ${copy.epoch}`;
}

function compare(other: RedisSeen, own: Heartbeat | undefined): string {
  const copy = copyOf(other);
  if (copy === undefined)
    return `${other.name}: ${other.problem ?? "it has no copy"}; if it has newer writes, they are lost`;
  if (isNewer(copy, own, 0))
    return `${other.name}: NEWER, of ${timeOf(copy)}, epoch ${copy.epoch}: what only it has is lost`;
  return `${other.name}: not newer, of ${timeOf(copy)}, epoch ${copy.epoch}`;
}

function timeOf({ ms }: Heartbeat): string {
  return new Date(ms).toISOString();
}
