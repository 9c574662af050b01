import { setTimeout as delay } from "node:timers/promises";
import { monotonicMs } from "../monotonic-clock.ts";
import { asFailover, type Fault, killServer } from "./fault.ts";

export const returning: Fault = {
  name: "return",
  summary: "the killed master is started again while the failover goes on",
  failover: true,
  gapMs: 3000,
  allows: asFailover,
  async inject(context) {
    const { announcements, cluster, master, random } = context;
    const atMs = await killServer(context);
    await cluster.waitForEnd(master);
    // From when the Sentinels see it down up to after the announcement.
    const latestMs = monotonicMs() + 1200 + random() * 1200;
    while (monotonicMs() < latestMs && announcements.firstSince(atMs, master.address) === undefined) {
      await delay(10);
    }
    await cluster.start(master);
    return atMs;
  },
};
