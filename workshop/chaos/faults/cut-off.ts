import { setTimeout as delay } from "node:timers/promises";
import type { PartNetwork } from "../../../cli/local/part-network.ts";
import { betweenHosts, type Cut, type Damage } from "../../../cli/local/render-cuts.ts";
import type { NamedPart } from "../cluster-control.ts";
import { monotonicMs } from "../monotonic-clock.ts";
import { announced, type FaultContext } from "./fault.ts";

/** Whatever is sent on the cut ways vanishes. */
export const blackHole: Damage = { kind: "drop" };

/** How long ways stay cut, ms: longer than a failover takes, shorter than a proxy holds commands. */
export const cutMs = 6000;

/** The network of a fault that needs one. */
export function networkOf({ network }: FaultContext): PartNetwork {
  if (network === undefined) throw new Error("this fault needs a network of its own");
  return network;
}

/** All parts but these. */
export function allBut({ cluster }: FaultContext, some: readonly NamedPart[]): NamedPart[] {
  const all = [...cluster.instances, ...cluster.sentinels, ...cluster.proxies];
  return all.filter((part) => !some.includes(part));
}

/** Both ways between these parts and those. */
export function between(some: readonly NamedPart[], others: readonly NamedPart[], damage: Damage): Cut[] {
  const host = ({ address }: NamedPart): string => address.host;
  return betweenHosts(some.map(host), others.map(host), damage);
}

/**
 * Cuts, waits until that much time is over and, if a failover is to follow, another master is announced, and heals.
 *
 * @returns when it cut.
 */
export async function cutFor(
  context: FaultContext,
  cuts: readonly Cut[],
  failover: boolean,
): Promise<number> {
  const network = networkOf(context);
  const atMs = monotonicMs();
  await network.cut(cuts);
  try {
    if (failover) await announced(context, atMs);
    await delay(Math.max(0, atMs + cutMs - monotonicMs()));
  } finally {
    await network.cut([]);
  }
  return atMs;
}
