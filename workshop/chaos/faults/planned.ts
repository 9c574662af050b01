import { monotonicMs } from "../monotonic-clock.ts";
import { pick } from "../seeded-random.ts";
import { waitUntil } from "../wait-until.ts";
import { announced, type Fault, unnoticed } from "./fault.ts";

export const planned: Fault = {
  name: "planned",
  summary: "SENTINEL FAILOVER: an administrator moves the master",
  failover: true,
  gapMs: 1000,
  allows: unnoticed,
  async inject(context) {
    const { cluster, random, topology } = context;
    const sentinel = pick(cluster.sentinels, random);
    const atMs = await waitUntil(
      "a Sentinel accepts FAILOVER",
      async () => {
        const begin = monotonicMs();
        await cluster.call(sentinel, "SENTINEL", "FAILOVER", topology.settings.sentinel.masterName);
        return begin;
      },
      5000,
    );
    await announced(context, atMs);
    return atMs;
  },
};
