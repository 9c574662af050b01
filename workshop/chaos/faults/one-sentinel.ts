import { pick } from "../seeded-random.ts";
import { announcedAndEnded, asFailover, type Fault, killServer } from "./fault.ts";

export const oneSentinel: Fault = {
  name: "one-sentinel",
  summary: "a Sentinel dies, and then the master: two Sentinels carry the failover out",
  failover: true,
  gapMs: 3000,
  allows: asFailover,
  async inject(context) {
    const { cluster, random } = context;
    await cluster.kill(pick(cluster.sentinels, random));
    const atMs = await killServer(context);
    await announcedAndEnded(context, atMs);
    return atMs;
  },
};
