import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { messageOf } from "../../../runtime/log.ts";
import { monotonicMs } from "../monotonic-clock.ts";
import { pick } from "../seeded-random.ts";
import { waitUntil } from "../wait-until.ts";
import { announced, asFailover, type Fault } from "./fault.ts";

/** Never ends and writes nothing. After 5 s Redis answers BUSY to everything, and takes SCRIPT KILL. */
const busyScript = "while true do end";
const busyMs = 5000;
const fullMs = 5000;

export const slowCommand: Fault = {
  name: "slow-command",
  summary: "a script keeps the master busy until it can be killed after 5 s: another one takes over",
  failover: true,
  gapMs: 3200,
  allows: asFailover,
  async inject(context) {
    const { cluster, master } = context;
    const atMs = monotonicMs();
    // Its answer comes too late for this connection.
    const script = cluster.call(master, "EVAL", busyScript, 0).catch(() => undefined);
    await announced(context, atMs);
    await script;
    await delay(Math.max(0, atMs + busyMs - monotonicMs()));
    // The Sentinels kill it, too: then there is none left.
    await waitUntil(
      "the script is killed",
      async () => {
        const answer = await cluster.call(master, "SCRIPT", "KILL").catch(messageOf);
        return /^OK|NOTBUSY/.test(String(answer)) || undefined;
      },
      10_000,
    );
    return atMs;
  },
};

export const diskFull: Fault = {
  name: "disk-full",
  summary: "the master's volume is full for 5 s: it refuses writes and says why, or another one takes over",
  failover: "maybe",
  needsNetwork: true,
  gapMs: fullMs + 3000,
  // It says that it didn't execute them.
  allows: { ...asFailover, errors: ["MISCONF"] },
  async inject({ cluster, master }) {
    const filler = join(cluster.stateDirectory(master), "filler");
    const atMs = monotonicMs();
    fill(filler);
    try {
      await delay(fullMs);
    } finally {
      rmSync(filler, { force: true });
    }
    return atMs;
  },
};

export const proxyKilled: Fault = {
  name: "proxy-killed",
  summary: "kill -9 of one of two proxies, and its start: clients of the other one notice nothing",
  failover: false,
  needsNetwork: true,
  gapMs: 500,
  allows: {
    ...asFailover,
    uncertain: false,
    // These lose their connections, and libraries that send again what was in flight can make it run twice.
    cutOff: {
      ...{ disconnects: true, uncertain: true, refusedConnections: true },
      ...{ lostConnections: true, resent: true },
    },
  },
  async inject({ cluster, cutOff, random }) {
    const proxy = pick(cluster.proxies, random);
    cutOff(proxy);
    const atMs = monotonicMs();
    await cluster.kill(proxy);
    await cluster.start(proxy);
    return atMs;
  },
};

/** Writes until the disk takes no more. */
function fill(path: string): void {
  const file = openSync(path, "w");
  const piece = Buffer.alloc(2 ** 20);
  try {
    for (let size = piece.length; size >= 1; size = Math.floor(size / 2)) {
      try {
        for (;;) writeSync(file, piece, 0, size);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      }
    }
  } finally {
    closeSync(file);
  }
}
