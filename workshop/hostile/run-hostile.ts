import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { cpuSeconds, residentMiB } from "../bench/process-cost.ts";
import { AttackerProcess } from "./attacker-process.ts";
import { bigKey, bigValueBytes } from "./hostile-bytes.ts";
import { HostileServers } from "./hostile-servers.ts";
import { NormalClient } from "./normal-client.ts";
import type { HostileResult, Phase, Round } from "./report.ts";

/** What a run is told. */
export interface HostileOptions {
  readonly minutes: number;
  readonly seed: number;
  /** Seconds of one phase; a round has two. */
  readonly phaseSeconds: number;
  readonly attackers: number;
  readonly bytesPerSecond: number | undefined;
  readonly connectionsPerSecond: number | undefined;
  readonly attacks: readonly string[];
  /** Whom the normal client asks. With `redis` the proxy is attacked all the same: what is noticed then isn't its doing. */
  readonly normalAt: "proxy" | "redis";
  readonly basePort: number;
  readonly onProgress: (line: string) => void;
  /** Ends the run after the phase that goes on; what was measured counts. */
  readonly signal: AbortSignal;
}

/** Of a throw-away Redis on loopback. */
const password = "hostile-test";
/** Not measured: programs get warm, connections of the phase before end. ms */
const warmUpMs = 3000;
const settleMs = 300;

/** Attacks a proxy for so long, and measures what a normal client beside it notices. */
export async function runHostile(options: HostileOptions): Promise<HostileResult> {
  const { onProgress, signal, seed } = options;
  onProgress("starting redis-server, a Sentinel, the proxy, the attacker and the normal client");
  const servers = await HostileServers.start({ basePort: options.basePort, password });
  let attacker: AttackerProcess | undefined;
  let normal: NormalClient | undefined;
  const rss: number[] = [];
  const watch = setInterval(() => {
    if (servers.proxyEnd === undefined) rss.push(Math.round(residentMiB(servers.proxyPid)));
  }, 1000);
  try {
    await storeBigValue(servers.redisPort);
    attacker = await AttackerProcess.start({ ...options, password });
    normal = await NormalClient.start(
      options.normalAt === "redis" ? servers.redisPort : servers.proxyPort,
      password,
    );
    await delay(warmUpMs);
    const rounds: Round[] = [];
    const until = performance.now() + options.minutes * 60_000;
    let rssPeak = 0;
    while (performance.now() < until && !signal.aborted && servers.proxyEnd === undefined) {
      // Which phase is first changes: what drifts hits both.
      const order = rounds.length % 2 === 0 ? (["off", "on"] as const) : (["on", "off"] as const);
      const phases: Partial<Record<"off" | "on", Phase>> = {};
      for (const side of order) {
        phases[side] = await runPhase(side, servers, attacker, normal, options.phaseSeconds * 1000);
      }
      if (servers.proxyEnd !== undefined) break;
      rssPeak = peakMiB(servers.proxyPid);
      const { off, on } = phases;
      if (off === undefined || on === undefined) break;
      rounds.push({ off, on });
      onProgress(
        `round ${rounds.length}: p99 ${off.normal.p99.toFixed(2)} → ${on.normal.p99.toFixed(2)} ms, ` +
          `${on.sent.attacks} attacks, RSS ${rss.at(-1) ?? 0} MiB, highest ${rssPeak.toFixed(0)} MiB, noticed ${normal.noticed}`,
      );
    }
    const crash = servers.proxyEnd && `${servers.proxyEnd}\n${servers.proxyOutput}`;
    const counters = crash === undefined ? await countersOf(servers) : {};
    await normal.stop();
    const { noticed, notices } = normal;
    return {
      seed,
      attacks: options.attacks,
      normalAt: options.normalAt,
      rounds,
      rss,
      rssPeak: Math.max(rssPeak, ...rss),
      ...(crash === undefined ? {} : { crash }),
      noticed,
      notices,
      counters,
    };
  } finally {
    clearInterval(watch);
    await attacker?.stop();
    await normal?.stop();
    await servers.stop();
  }
}

async function runPhase(
  side: "off" | "on",
  servers: HostileServers,
  attacker: AttackerProcess,
  normal: NormalClient,
  ms: number,
): Promise<Phase> {
  await delay(settleMs);
  normal.skip();
  const cpuOf = (): number => (servers.proxyEnd === undefined ? cpuSeconds(servers.proxyPid) : 0);
  const before = cpuOf();
  const target = { port: servers.proxyPort, sentinelPort: servers.sentinelApiPort };
  const sent = await attacker.run(side === "on" ? target : "sink", ms);
  return { normal: normal.takePhase(), sent, proxyCpu: cpuOf() - before };
}

async function storeBigValue(port: number): Promise<void> {
  const redis = new Redis({ port, password, protocol: 2 });
  try {
    await redis.set(bigKey, "x".repeat(bigValueBytes));
  } finally {
    redis.disconnect();
  }
}

/** The highest resident memory that the kernel has seen, in MiB: no peak between two looks is missed. */
function peakMiB(pid: number): number {
  const kib = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kib) / 1024;
}

async function countersOf(servers: HostileServers): Promise<Record<string, number>> {
  const told = /^redis_ha_proxy_(\w+_total(\{.*\})?|clients|upstreams|held_bytes)$/;
  // Not those of prom-client's own about the process.
  const own = /process_|nodejs_/;
  const metrics = [...(await servers.metrics())];
  return Object.fromEntries(metrics.filter(([name]) => told.test(name) && !own.test(name)));
}
