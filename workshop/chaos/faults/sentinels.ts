import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promotionOrdered } from "../../../quorum/sentinel-events.ts";
import { formatAddress } from "../../../runtime/address.ts";
import type { NamedPart } from "../cluster-control.ts";
import { monotonicMs } from "../monotonic-clock.ts";
import { pick } from "../seeded-random.ts";
import { waitUntil } from "../wait-until.ts";
import {
  announcedAndEnded,
  asFailover,
  type Fault,
  type FaultContext,
  killServer,
  unnoticed,
} from "./fault.ts";

/** Twice the failover time-out of a run, and a failover. */
const secondAttemptMs = 2 * 3000 + 3000;

export const leaderAfterElection: Fault = {
  name: "leader-elected",
  summary: "the master dies, and the Sentinel that is elected to lead the failover dies at once",
  failover: true,
  gapMs: secondAttemptMs,
  allows: asFailover,
  inject: async (context) => {
    const { cluster, say } = context;
    const simulate = (part: NamedPart, flag: string): Promise<unknown> =>
      cluster.call(part, "SENTINEL", "SIMULATE-FAILURE", flag);
    await Promise.all(cluster.sentinels.map((part) => simulate(part, "crash-after-election")));
    const atMs = await killServer(context);
    const leader = await waitUntil(
      "the elected Sentinel ends",
      () => cluster.sentinels.find((part) => !cluster.isRunning(part)),
      10_000,
    );
    // Only the first one. Every call forgets earlier flags, and there is none without any; this one sets none.
    const others = cluster.sentinels.filter((part) => part !== leader);
    await Promise.all(others.map((part) => simulate(part, "help").catch(() => undefined)));
    say(`${leader.name} ended after ${Math.round(monotonicMs() - atMs)} ms`);
    await announcedAndEnded(context, atMs);
    return atMs;
  },
};

export const leaderAfterPromotion: Fault = {
  name: "leader-promoted",
  summary:
    "the master dies, and the Sentinel that leads the failover dies when it has ordered a replica's promotion",
  failover: true,
  gapMs: secondAttemptMs,
  allows: asFailover,
  inject: async (context) => {
    const { cluster, announcements, say } = context;
    const atMs = await killServer(context);
    const order = await waitUntil(
      "a Sentinel orders a promotion",
      () => announcements.since(atMs).find(({ channel }) => channel === promotionOrdered),
      10_000,
    );
    const leader = cluster.sentinels.find(({ address }) => formatAddress(address) === order.sentinel);
    if (leader === undefined) throw new Error(`${order.sentinel} is no Sentinel of this topology`);
    await cluster.kill(leader);
    say(`${leader.name} was killed after ${Math.round(monotonicMs() - atMs)} ms`);
    await announcedAndEnded(context, atMs);
    return atMs;
  },
};

/** Kills a Sentinel, does something to its volume, starts it, and looks whether it is the old one and agrees. */
async function damageSentinel(
  { broken, cluster, random }: FaultContext,
  damage: (directory: string, part: NamedPart) => void,
): Promise<number> {
  const sentinel = pick(cluster.sentinels, random);
  const before = String(await cluster.call(sentinel, "SENTINEL", "MYID"));
  const atMs = monotonicMs();
  await cluster.kill(sentinel);
  damage(cluster.stateDirectory(sentinel), sentinel);
  await cluster.start(sentinel);
  const startedMs = monotonicMs();
  await waitUntil("the Sentinel agrees with the others", () => cluster.isHealthy(sentinel), 30_000);
  const tookMs = monotonicMs() - startedMs;
  if (tookMs > 5000) broken(`it agreed with the others only after ${Math.round(tookMs)} ms`);
  const after = String(await cluster.call(sentinel, "SENTINEL", "MYID"));
  if (after !== before) broken(`the Sentinel has another identity: ${before} before, ${after} now`);
  for (const other of cluster.sentinels.filter((part) => part !== sentinel)) {
    const known = await cluster.countSentinels(other);
    if (known !== cluster.sentinels.length - 1) broken(`${other.name} knows ${known} other Sentinels`);
  }
  return atMs;
}

export const sentinelVolume: Fault = {
  name: "sentinel-volume",
  summary: "a Sentinel dies and loses its volume: it comes back as the same voter",
  failover: false,
  gapMs: 500,
  allows: unnoticed,
  inject: (context) => damageSentinel(context, (_directory, part) => context.cluster.wipe(part)),
};

/** So long a Sentinel that names a wrong master may do so, ms. */
const repairWithinMs = 15_000;

export const sentinelWrong: Fault = {
  name: "sentinel-wrong",
  summary:
    "a Sentinel is told that a replica is the master: the instances set it right, and nobody else believes it",
  failover: false,
  gapMs: 500,
  allows: unnoticed,
  async inject({ broken, cluster, master, random, topology }) {
    const sentinel = pick(cluster.sentinels, random);
    const replica = pick(
      cluster.instances.filter((part) => part !== master),
      random,
    );
    const { masterName, quorum, downAfterMs, failoverTimeoutMs } = topology.settings.sentinel;
    const { host, port } = replica.address;
    const tell = (...words: (string | number)[]): Promise<unknown> =>
      cluster.call(sentinel, "SENTINEL", ...words);
    const atMs = monotonicMs();
    await tell("REMOVE", masterName);
    await tell("MONITOR", masterName, host, port, quorum);
    // Only the address is to be wrong: with Sentinel's own settings it would see nothing down for 30 s.
    const settings = ["down-after-milliseconds", downAfterMs, "failover-timeout", failoverTimeoutMs];
    const { username, password } = topology.loginOf("sentinel");
    await tell("SET", masterName, "auth-user", username, "auth-pass", password, ...settings);
    try {
      await waitUntil("the Sentinel names the master", () => cluster.isHealthy(sentinel), 2 * repairWithinMs);
    } catch (error) {
      // Later rounds need all of them: a restart makes it right at any rate.
      await cluster.start(sentinel);
      throw error;
    }
    const tookMs = monotonicMs() - atMs;
    if (tookMs > repairWithinMs) broken(`it was wrong for ${Math.round(tookMs)} ms`);
    return atMs;
  },
};

/** What a crash, a full disk or a hand leaves behind. */
const damages: readonly ((conf: string) => string)[] = [
  (conf) => conf.slice(0, Math.floor(conf.length / 2)),
  (conf) => `${conf}\nsentinel known-sentinel nobody 10.0.0.1 1 ffff\n\0\0\0`,
  (conf) => `${conf}${conf}`,
  (conf) => conf.replaceAll(/^sentinel monitor .*$/gm, "sentinel monitor"),
  () => "",
];

export const sentinelConf: Fault = {
  name: "sentinel-conf",
  summary:
    "a Sentinel dies and its file is cut, doubled or filled with rubbish: it comes back as the same voter",
  failover: false,
  gapMs: 500,
  allows: unnoticed,
  inject(context) {
    const how = pick(damages, context.random);
    return damageSentinel(context, (directory) => {
      const file = join(directory, "sentinel.conf");
      writeFileSync(file, how(readFileSync(file, "utf8")));
    });
  },
};
