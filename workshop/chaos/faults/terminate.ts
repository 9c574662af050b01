import { monotonicMs } from "../monotonic-clock.ts";
import { announced, type Fault, unnoticed } from "./fault.ts";

export const terminate: Fault = {
  name: "terminate",
  summary: "SIGTERM of the master's entrypoint, and its start: it hands its role over before it ends",
  failover: true,
  gapMs: 1000,
  allows: unnoticed,
  async inject(context) {
    const { cluster, master } = context;
    const atMs = monotonicMs();
    // Ends it with SIGTERM, and by force only after 10 s.
    await cluster.start(master);
    await announced(context, atMs);
    return atMs;
  },
};
