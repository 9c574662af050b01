import type { SentinelEvent } from "./sentinel-announcements.ts";

/** What a failover consists of; the rest is gossip. */
const told = [
  ...["+sdown", "-sdown", "+odown", "-odown", "+try-failover", "+elected-leader", "+selected-slave"],
  ...["+promoted-slave", "+switch-master", "+failover-end", "+reboot", "+convert-to-slave", "+tilt", "-tilt"],
];
const most = 60;

/**
 * The Sentinels' events of a fault, for people: `1043 ms 127.0.0.1:8901 +sdown master`. Those about other Sentinels and
 * replicas are told, too: what they are about stands behind them.
 */
export function describeEvents(events: readonly SentinelEvent[], faultAtMs: number): string[] {
  return events
    .filter(({ channel }) => told.includes(channel) || channel.startsWith("-failover-abort"))
    .slice(0, most)
    .map(({ atMs, sentinel, channel, message }) => {
      const about = message.split(" @ ")[0];
      return `${Math.round(atMs - faultAtMs)} ms ${sentinel} ${channel} ${about}`;
    });
}
