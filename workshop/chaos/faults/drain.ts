import { monotonicMs } from "../monotonic-clock.ts";
import { pick } from "../seeded-random.ts";
import type { Fault } from "./fault.ts";

export const drain: Fault = {
  name: "drain",
  summary: "SIGTERM of the proxy under load, and its start: clients are moved off between two commands",
  failover: false,
  gapMs: 2000,
  // While it starts again nobody listens. On a cluster another one does.
  allows: { disconnects: true, uncertain: false, refusedConnections: true },
  async inject({ cluster, random }) {
    const proxy = pick(cluster.proxies, random);
    const atMs = monotonicMs();
    // Ends it with SIGTERM, and by force only after 10 s.
    await cluster.start(proxy);
    return atMs;
  },
};
