import { pick } from "../seeded-random.ts";
import { allBut, between, blackHole, cutFor } from "./cut-off.ts";
import { asFailover, type Fault, type FaultContext } from "./fault.ts";

/** Clients on the other side are held until the cut is over, and TCP sends again. */
const heldMs = 9500;

/** Until a master that lost its role, and is told so, has refused what waited. */
const untilRefusedMs = 6500;

/**
 * Cuts the master off together with a replica, a proxy and some Sentinels: on its side is the majority of the data.
 *
 * @returns when it cut.
 */
function cutPairOff(context: FaultContext, sentinels: number, failover: boolean): Promise<number> {
  const { cluster, cutOff, master, random, say } = context;
  const replica = pick(
    cluster.instances.filter((part) => part !== master),
    random,
  );
  const proxy = pick(cluster.proxies, random);
  const first = Math.floor(random() * cluster.sentinels.length);
  const along = [...cluster.sentinels, ...cluster.sentinels].slice(first, first + sentinels);
  say(`with ${[replica, proxy, ...along].map(({ name }) => name).join(", ")}`);
  if (failover) cutOff(proxy);
  const inside = [master, replica, proxy, ...along];
  return cutFor(context, between(inside, allBut(context, inside), blackHole), failover);
}

export const isolatedPair: Fault = {
  name: "isolated-pair",
  summary:
    "the master, a replica, a proxy and one Sentinel are cut off together for 6 s: the data's majority on one side, the Sentinels' on the other",
  failover: "maybe",
  needsNetwork: true,
  beyondSync: true,
  gapMs: heldMs,
  allows: {
    ...asFailover,
    errors: ["LOADING", "NOREPLICAS"],
    // Nobody tells that proxy of another master, and what the old one has taken is confirmed by a replica that is on its side.
    cutOff: {
      ...asFailover,
      errors: ["NOREPLICAS", "LOADING"],
      lost: { fromMs: -100, untilMs: untilRefusedMs },
    },
  },
  // Whoever has the majority of the data stays with `quorum`, whatever the Sentinels would like.
  inject: (context) => cutPairOff(context, 1, context.topology.settings.redis.durability !== "quorum"),
};

export const isolatedPairWithMajority: Fault = {
  name: "isolated-pair-majority",
  summary:
    "the same with two Sentinels: both majorities are on the master's side, and nobody has to take over",
  failover: false,
  needsNetwork: true,
  gapMs: heldMs,
  // A busy machine takes longer than they are held.
  allows: { ...asFailover, errors: ["LOADING", "NOREPLICAS"] },
  inject: (context) => cutPairOff(context, 2, false),
};
