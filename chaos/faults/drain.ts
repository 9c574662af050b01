import { monotonicMs } from "../monotonic-clock.ts";
import type { Fault } from "./fault.ts";

export const drain: Fault = {
  name: "drain",
  summary: "SIGTERM of the proxy under load, and its start: clients are moved off between two commands",
  failover: false,
  // A local topology has one proxy: while it starts again nobody listens. On a cluster another one does.
  allows: { disconnects: true, uncertain: false, refusedConnections: true },
  async inject({ cluster }) {
    const atMs = monotonicMs();
    // Ends it with SIGTERM, and by force only after 10 s.
    await cluster.start(cluster.proxy);
    return atMs;
  },
};
