import { setTimeout as delay } from "node:timers/promises";
import type { Damage } from "../../../cli/local/render-cuts.ts";
import { monotonicMs } from "../monotonic-clock.ts";
import { pick } from "../seeded-random.ts";
import { allBut, between, blackHole, cutFor, cutMs, networkOf } from "./cut-off.ts";
import { asFailover, type Fault, type FaultContext, unnoticed } from "./fault.ts";

/** How long packets are lost or late, ms. */
const spoiltMs = 10_000;
const lossPercent = 5;

export const noReplication: Fault = {
  name: "no-replication",
  summary:
    "only the ways between the master and its replicas are cut for 6 s: it must stop, and nobody takes over",
  failover: false,
  needsNetwork: true,
  // Until the end, and until TCP tries again.
  gapMs: cutMs + 4000,
  // Without a replica a write is only on one disk. It isn't lost, since the master stays.
  allows: { ...unnoticed, errors: ["NOREPLICAS"] },
  inject(context) {
    const { cluster, master } = context;
    const replicas = cluster.instances.filter((part) => part !== master);
    return cutFor(context, between([master], replicas, blackHole), false);
  },
};

export const replicasUnseen: Fault = {
  name: "replicas-unseen",
  summary: "the ways between replicas and Sentinels are cut for 6 s: nobody has to notice",
  failover: false,
  needsNetwork: true,
  gapMs: 500,
  allows: unnoticed,
  inject(context) {
    const { cluster, master } = context;
    const replicas = cluster.instances.filter((part) => part !== master);
    return cutFor(context, between(replicas, cluster.sentinels, blackHole), false);
  },
};

export const sentinelCut: Fault = {
  name: "sentinel-cut",
  summary: "one Sentinel is cut off from everything for 6 s: nobody has to notice",
  failover: false,
  needsNetwork: true,
  gapMs: 500,
  allows: unnoticed,
  inject(context) {
    const sentinel = pick(context.cluster.sentinels, context.random);
    return cutFor(context, between([sentinel], allBut(context, [sentinel]), blackHole), false);
  },
};

/** There and back it is twice as much. */
const delayMs = 100;

export const delayed: Fault = {
  name: "delay",
  summary: "for 10 s every packet between the parts arrives 100 ms later: slow, and no reason for a failover",
  failover: false,
  needsNetwork: true,
  gapMs: 1500,
  allows: asFailover,
  inject: (context) => spoilAll(context, { kind: "delay", ms: delayMs }),
};

export const loss: Fault = {
  name: "loss",
  summary: "5 % of all packets between the parts are lost for 10 s: slow, and no reason for a failover",
  failover: false,
  needsNetwork: true,
  gapMs: 1500,
  allows: asFailover,
  inject: (context) => spoilAll(context, { kind: "loss", percent: lossPercent }),
};

/** Spoils all ways between all parts for 10 s. */
async function spoilAll(context: FaultContext, damage: Damage): Promise<number> {
  const network = networkOf(context);
  const all = allBut(context, []);
  const atMs = monotonicMs();
  await network.cut(all.flatMap((part, i) => between([part], all.slice(i + 1), damage)));
  try {
    await delay(spoiltMs);
  } finally {
    await network.cut([]);
  }
  return atMs;
}
