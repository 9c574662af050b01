import type { Logger } from "pino";
import { formatAddress } from "../../runtime/address.ts";
import { every } from "./every.ts";
import { GhostHunt } from "./forget-ghosts.ts";
import type { HeartbeatKeeper } from "./keep-heartbeat.ts";
import { applySentinelTimers } from "./sentinel-timers.ts";
import { askCpuSeconds, dropSentinelLinks, SpinDetector } from "./spinning-sentinels.ts";
import type { Watch, WatchOptions } from "./watch.ts";

export interface SupervisorOptions extends WatchOptions {
  /** Looks and acts; whoever wants to know what it has seen asks it. */
  readonly watch: Watch;
  readonly heartbeat: HeartbeatKeeper;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const everyMs = 500;
/** A Sentinel is busy over 10 s before anything is done about it. */
const calmEveryMs = 1000;

/**
 * Watches over a running instance until `signal`. Each of its duties has its own clock: a frozen Sentinel, which keeps some of them waiting, delays
 * none of the others.
 */
export async function supervise(options: SupervisorOptions): Promise<void> {
  const { log, signal, sentinels, watch, heartbeat } = options;
  const ghosts = new GhostHunt(options);
  const detectors = sentinels.map(() => new SpinDetector());
  const repeat = (what: string, ms: number, job: () => Promise<void>): Promise<void> =>
    every({ what, ms, job, log, signal });
  await Promise.all([
    repeat("a round of supervision", everyMs, () => watch.look()),
    repeat("the heartbeat", everyMs, () => heartbeat.beat(watch.leads?.epoch).then(() => undefined)),
    repeat("setting the Sentinels' timers", everyMs, () => applyTimers(options)),
    repeat("the search for removed hosts", everyMs, () => ghosts.round(watch.views, watch.agreement)),
    repeat("calming a Sentinel", calmEveryMs, () =>
      calmSentinels(options, detectors, watch.leads !== undefined),
    ),
  ]);
}

async function applyTimers({ sentinels, log }: SupervisorOptions): Promise<void> {
  for (const result of await Promise.allSettled(sentinels.map(applySentinelTimers))) {
    if (result.status === "fulfilled" && result.value) log.info("set a Sentinel's timers");
  }
}

/** Each instance ends the connections with itself; those between Sentinels are ended by the master. */
async function calmSentinels(
  { sentinels, server, log }: SupervisorOptions,
  detectors: readonly SpinDetector[],
  leads: boolean,
): Promise<void> {
  const answers = await Promise.allSettled(sentinels.map(askCpuSeconds));
  for (const [i, answer] of answers.entries()) {
    const sentinel = sentinels[i];
    if (answer.status === "rejected" || sentinel === undefined) continue;
    if (detectors[i]?.observe(answer.value, performance.now()) !== true) continue;
    const dropped = await dropSentinelLinks(sentinel, leads ? [server, ...sentinels] : [server]);
    log.warn({ sentinel: formatAddress(sentinel.address), dropped }, "a Sentinel was busy all the time");
  }
}
