import { setTimeout as delay } from "node:timers/promises";
import { shuffle } from "../seeded-random.ts";
import { announcedAndEnded, asFailover, type Fault, killServer } from "./fault.ts";

/** Longer than a failover takes. */
const withoutMajorityMs = 2500;

export const twoSentinels: Fault = {
  name: "two-sentinels",
  summary:
    "two Sentinels die, then the master: nobody may be promoted until the Sentinels are back 2.5 s later",
  failover: true,
  gapMs: 7500,
  allows: asFailover,
  async inject(context) {
    const { announcements, cluster, master, random } = context;
    const dead = shuffle(cluster.sentinels, random).slice(0, 2);
    await Promise.all(dead.map((sentinel) => cluster.kill(sentinel)));
    const atMs = await killServer(context);
    await delay(withoutMajorityMs);
    if (announcements.firstSince(atMs, master.address) !== undefined) {
      throw new Error("one Sentinel of three promoted a replica");
    }
    await Promise.all(dead.map((sentinel) => cluster.start(sentinel)));
    await announcedAndEnded(context, atMs);
    return atMs;
  },
};
