import type { LoggedEvent } from "./observation.ts";

/** The events of a Sentinel that make up a failover. */
const told = new Set([
  "+sdown",
  "+odown",
  "+try-failover",
  "+elected-leader",
  "+selected-slave",
  "+failover-state-wait-promotion",
  "+promoted-slave",
  "+switch-master",
  "+failover-end",
  "-failover-abort-no-good-slave",
  "-failover-abort-not-elected",
]);

/**
 * Finds in a Sentinel's log what it tells of failovers.
 *
 * @param masterName of which master; unset: of whichever it watches.
 * @param zone the time zone of its clock, such as ` UTC`; empty: this process' own.
 */
export function readSentinelLog(part: string, log: string, masterName?: string, zone = ""): LoggedEvent[] {
  return log.split("\n").flatMap((line) => {
    // `4711:X 30 Nov 2026 15:59:51.713 # +odown master redis-ha-local 10.77.2.1 27101 #quorum 2/2`
    const match = /^\d+:X (\d+ \w+ \d+ [\d:.]+) [#*] ([+-][\w-]+) (.*)$/.exec(line);
    const [, time = "", event = "", text = ""] = match ?? [];
    // Of all that can be down only the master begins a failover.
    if (!told.has(event) || (/^[+-][so]down$/.test(event) && !text.startsWith("master "))) return [];
    if (masterName !== undefined && !` ${text} `.includes(` ${masterName} `)) return [];
    const atMs = Date.parse(`${time}${zone}`);
    return Number.isNaN(atMs) ? [] : [{ atMs, part, event, text }];
  });
}

/** Finds in the log of an instance what it tells of hand-overs. */
export function readInstanceLog(part: string, log: string): LoggedEvent[] {
  return log.split("\n").flatMap((line) => {
    const isPause = line.includes('"writes were paused"');
    if (!isPause && !line.includes("handed the master's role over")) return [];
    try {
      const { time, pausedMs, successor } = JSON.parse(line) as Record<string, unknown>;
      const atMs = Date.parse(String(time));
      const rest = isPause
        ? { event: "paused", text: String(pausedMs) }
        : { event: "handed-over", text: String(successor) };
      return Number.isNaN(atMs) ? [] : [{ atMs, part, ...rest }];
    } catch {
      // A line that was cut off.
      return [];
    }
  });
}
