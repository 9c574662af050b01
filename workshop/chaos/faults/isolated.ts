import type { Damage } from "../../../cli/local/render-cuts.ts";
import { pick } from "../seeded-random.ts";
import { allBut, between, blackHole, cutFor } from "./cut-off.ts";
import { asFailover, type Fault, type FaultContext } from "./fault.ts";

/** Until a master without replicas takes no more writes: `min-replicas-max-lag` 2 s, and its clock of 1 s twice. */
const untilNoReplicasMs = 4000;

function cutMasterOff(context: FaultContext, damage: Damage): Promise<number> {
  const { master } = context;
  return cutFor(context, between([master], allBut(context, [master]), damage), true);
}

export const isolated: Fault = {
  name: "isolated",
  summary: "the master is cut off from everything for 6 s: a black hole, no connection ends",
  failover: true,
  needsNetwork: true,
  gapMs: 3200,
  allows: asFailover,
  inject: (context) => cutMasterOff(context, blackHole),
};

export const isolatedByReset: Fault = {
  name: "isolated-reset",
  summary: "the same, but every connection with it is reset, and every new one refused",
  failover: true,
  needsNetwork: true,
  gapMs: 3200,
  allows: asFailover,
  inject: (context) => cutMasterOff(context, { kind: "reset" }),
};

export const isolatedWithProxy: Fault = {
  name: "isolated-proxy",
  summary: "the master and one of the proxies are cut off together for 6 s",
  failover: true,
  needsNetwork: true,
  gapMs: 3200,
  allows: {
    ...asFailover,
    // It is on the wrong side: nobody tells it that there is another master, and the old one still takes writes.
    cutOff: {
      ...asFailover,
      errors: ["NOREPLICAS", "LOADING"],
      lost: { fromMs: -100, untilMs: untilNoReplicasMs },
    },
  },
  inject(context) {
    const { cluster, cutOff, master, random } = context;
    const proxy = pick(cluster.proxies, random);
    cutOff(proxy);
    const minority = [master, proxy];
    return cutFor(context, between(minority, allBut(context, minority), blackHole), true);
  },
};

export const oneWay: Fault = {
  name: "one-way",
  summary: "for 6 s nothing that the master sends arrives, or nothing that is sent to it",
  failover: true,
  needsNetwork: true,
  gapMs: 3200,
  allows: asFailover,
  inject(context) {
    const { master, random } = context;
    const outwards = random() < 0.5;
    context.say(outwards ? "nothing that it sends arrives" : "nothing that is sent to it arrives");
    const cuts = between([master], allBut(context, [master]), blackHole);
    const way = cuts.filter(({ from }) => (from === master.address.host) === outwards);
    return cutFor(context, way, true);
  },
};
