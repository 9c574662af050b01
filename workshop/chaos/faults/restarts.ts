import { setTimeout as delay } from "node:timers/promises";
import { monotonicMs } from "../monotonic-clock.ts";
import { shuffle } from "../seeded-random.ts";
import { waitUntil } from "../wait-until.ts";
import { announced, announcedAndEnded, asFailover, type Fault, killServer } from "./fault.ts";

/** While nobody can be master commands are held, at last refused with LOADING: `proxy:holdTimeoutMs` is 11 s here. */
const duringLongOutage = { ...asFailover, errors: ["LOADING", "NOREPLICAS"] };

/** A master that is back before its replicas refuses writes, and says so. */
const asRestart = { ...asFailover, errors: ["NOREPLICAS"] };

export const quickRestart: Fault = {
  name: "quick-restart",
  summary: "the master's pod is killed and started again at once, before anybody sees it down",
  failover: "maybe",
  gapMs: 3000,
  allows: asRestart,
  async inject({ cluster, master }) {
    const atMs = monotonicMs();
    await cluster.kill(master);
    await cluster.start(master);
    return atMs;
  },
};

export const wiped: Fault = {
  name: "wiped",
  summary:
    "the master's pod is killed, its volume emptied, and it is started again at once: it may not be master",
  failover: true,
  gapMs: 15_000,
  allows: duringLongOutage,
  async inject(context) {
    const { cluster, master, broken } = context;
    const atMs = monotonicMs();
    await cluster.kill(master);
    cluster.wipe(master);
    await cluster.start(master);
    await announced(context, atMs);
    await waitUntil(
      "the emptied instance is a replica",
      async () => String(await cluster.call(master, "ROLE")).startsWith("slave") || undefined,
      20_000,
    );
    const afterMs = monotonicMs() - atMs;
    if (afterMs > 15_000) broken(`the emptied instance was a replica only after ${Math.round(afterMs)} ms`);
    return atMs;
  },
};

export const ring: Fault = {
  name: "ring",
  summary:
    "the master is killed, and right after the failover the new master, too; both are started again at once",
  failover: "maybe",
  gapMs: 10_000,
  allows: asRestart,
  // All copies were restarted with the same last heartbeat: the one that led last is found by the second failover.
  withQuorum: { gapMs: 15_000, allows: duringLongOutage },
  async inject(context) {
    const { announcements, cluster, master } = context;
    const atMs = await killServer(context);
    await announcedAndEnded(context, atMs);
    const next = announcements.firstSince(atMs, master.address)?.master;
    const second = cluster.instances.find(({ address }) => address.port === next?.port);
    if (second === undefined) throw new Error("no instance has the announced address");
    await cluster.kill(second);
    await Promise.all([cluster.start(master), cluster.start(second)]);
    return atMs;
  },
};

export const everything: Fault = {
  name: "everything",
  summary: "all Redis and all Sentinels are killed at once and started again in a random order",
  failover: "maybe",
  gapMs: 20_000,
  allows: duringLongOutage,
  async inject({ cluster, random }) {
    const all = [...cluster.instances, ...cluster.sentinels];
    const atMs = monotonicMs();
    await Promise.all(all.map((part) => cluster.kill(part)));
    for (const part of shuffle(all, random)) {
      await cluster.start(part);
      await delay(random() * 500);
    }
    return atMs;
  },
};

/** Before the fault: what no replica had yet when everything died. */
const unreplicatedMs = 1000;

export const mastersVolume: Fault = {
  name: "masters-volume",
  waitsWithQuorum: true,
  summary:
    "all Redis are killed at once and the master's volume is emptied: the newest copy that is left must win",
  failover: "maybe",
  gapMs: 20_000,
  allows: { ...duringLongOutage, lost: { fromMs: -unreplicatedMs, untilMs: 100 } },
  async inject({ cluster, master, random }) {
    const atMs = monotonicMs();
    await Promise.all(cluster.instances.map((part) => cluster.kill(part)));
    cluster.wipe(master);
    for (const part of shuffle(cluster.instances, random)) {
      await cluster.start(part);
      await delay(random() * 500);
    }
    return atMs;
  },
};

export const firstSync: Fault = {
  name: "first-sync",
  summary: "the master dies while an emptied replica waits for its first copy: that one may not be promoted",
  failover: true,
  gapMs: 3000,
  allows: asFailover,
  // One copy is lost and one is gone: nobody can lead before the old master is back, which is started only after this.
  withQuorum: { failover: "maybe", gapMs: 15_000, allows: duringLongOutage },
  async inject(context) {
    const { announcements, broken, cluster, master, random } = context;
    const [replica] = shuffle(cluster.instances, random).filter((part) => part !== master);
    if (replica === undefined) throw new Error("there is no replica");
    await cluster.kill(replica);
    cluster.wipe(replica);
    // The master waits so long for further replicas before it sends anything to this one.
    await cluster.call(master, "CONFIG", "SET", "repl-diskless-sync-delay", 60);
    await cluster.start(replica);
    await waitUntil(
      "the emptied replica asks the master for a copy",
      async () =>
        /state=wait_bgsave/.test(String(await cluster.call(master, "INFO", "replication"))) || undefined,
      10_000,
    );
    const atMs = await killServer(context);
    await announcedAndEnded(context, atMs);
    const next = announcements.firstSince(atMs, master.address)?.master;
    if (next?.port === replica.address.port) broken("a replica without data was promoted");
    return atMs;
  },
};
