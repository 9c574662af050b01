import { monotonicMs } from "../monotonic-clock.ts";
import { announced, asFailover, type Fault } from "./fault.ts";

export const containerKilled: Fault = {
  name: "container-killed",
  summary:
    "kill -9 of the master's redis-server and its supervisor at once; nobody is left who knows for certain",
  failover: true,
  gapMs: 3000,
  allows: asFailover,
  async inject(context) {
    const { cluster, master } = context;
    const atMs = monotonicMs();
    await cluster.kill(master);
    await announced(context, atMs);
    return atMs;
  },
};
