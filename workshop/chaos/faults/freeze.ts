import { setTimeout as delay } from "node:timers/promises";
import { monotonicMs } from "../monotonic-clock.ts";
import { announced, asFailover, type Fault } from "./fault.ts";

const frozenMs = 5000;

export const freeze: Fault = {
  name: "freeze",
  summary: "SIGSTOP of the master for 5 s, then SIGCONT: it wakes up and believes that it is master",
  failover: true,
  gapMs: 3200,
  allows: asFailover,
  async inject(context) {
    const { cluster, master } = context;
    // Its supervisor goes on: on a cluster it is the same container, but a stalled disk freezes only the server.
    const pid = await cluster.serverPid(master);
    const atMs = monotonicMs();
    process.kill(pid, "SIGSTOP");
    try {
      await announced(context, atMs);
      await delay(Math.max(0, atMs + frozenMs - monotonicMs()));
    } finally {
      process.kill(pid, "SIGCONT");
    }
    return atMs;
  },
};
