import { setTimeout as delay } from "node:timers/promises";
import { formatAddress } from "../../../runtime/address.ts";
import { waitUntil } from "../wait-until.ts";
import { announcedAndEnded, asFailover, type Fault, killServer } from "./fault.ts";

/** A kubelet begins with no pause at all. */
const crashes = 3;
/** Until what follows a crash has begun. */
const settleMs = 500;

export const crashLoop: Fault = {
  name: "crash-loop",
  summary: "the master's redis-server is killed, and twice more as soon as it is back: the role moves once",
  failover: true,
  gapMs: 3000,
  allows: asFailover,
  async inject(context) {
    const { announcements, broken, cluster, master } = context;
    const atMs = await killServer(context);
    await announcedAndEnded(context, atMs);
    for (let crash = 1; crash < crashes; crash++) {
      await cluster.start(master);
      await waitUntil(
        "the crashed instance answers",
        async () => String(await cluster.call(master, "PING")) === "PONG" || undefined,
        20_000,
      );
      await killServer(context);
      await cluster.waitForEnd(master);
    }
    await delay(settleMs);
    const masters = new Set(announcements.announcedSince(atMs).map((one) => formatAddress(one.master)));
    if (masters.size !== 1) broken(`the role moved ${masters.size} times: to ${[...masters].join(", ")}`);
    return atMs;
  },
};
