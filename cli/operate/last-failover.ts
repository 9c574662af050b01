import { majorityOf } from "../../quorum/agreement.ts";
import type { LoggedEvent } from "./observation.ts";

/** The last change of the master, from the logs. */
export interface FailoverStory {
  /** `planned`: the role was handed over, or somebody asked a Sentinel; `failure`: the Sentinels saw the master down. */
  readonly kind: "planned" | "failure";
  readonly from: string;
  readonly to: string;
  /** When it began, ISO 8601. */
  readonly at: string;
  readonly phases: readonly Phase[];
  /** For how long a hand-over had writes paused, ms; undefined: none did, or its log is gone. */
  readonly pausedMs: number | undefined;
}

/** One step. */
export interface Phase {
  readonly name: string;
  /** Since the beginning, ms. */
  readonly ms: number;
}

/** Between two events of one failover, ms: longer than an election that fails and is tried again takes at the default settings. */
const sameStoryMs = 15_000;

const phaseNames: readonly (readonly [event: string, name: string])[] = [
  ["+sdown", "a Sentinel sees the master down"],
  ["+odown", "enough Sentinels see it down"],
  ["+try-failover", "an election begins"],
  ["+elected-leader", "a leader is elected"],
  ["+selected-slave", "a replica is chosen"],
  ["+failover-state-wait-promotion", "it is ordered to lead"],
  ["handed-over", "the old master follows it"],
];

/** Tells the last failover that all logs together know of; undefined: there was none. */
export function tellLastFailover(
  events: readonly LoggedEvent[],
  sentinelCount: number,
): FailoverStory | undefined {
  const sorted = events.toSorted((a, b) => a.atMs - b.atMs);
  const switches = sorted.filter(({ event }) => event === "+switch-master");
  const last = switches.at(-1);
  if (last === undefined) return undefined;
  const own = switches.filter(({ text, atMs }) => text === last.text && last.atMs - atMs <= sameStoryMs);
  const firstSwitch = own[0] ?? last;
  const before = switches.filter(({ atMs }) => atMs < firstSwitch.atMs).at(-1)?.atMs ?? 0;
  const [, oldHost, oldPort, newHost, newPort] = last.text.split(" ");
  // Back from the end as long as the next one belongs to it.
  let beginMs = firstSwitch.atMs;
  const begins = ["+sdown", "+try-failover"];
  for (const { atMs, event } of sorted.toReversed()) {
    if (atMs > firstSwitch.atMs || !begins.includes(event)) continue;
    if (atMs <= before || beginMs - atMs > sameStoryMs) break;
    beginMs = atMs;
  }
  const within = sorted.filter(({ atMs }) => atMs >= beginMs && atMs <= last.atMs + sameStoryMs);
  const phases = phaseNames.flatMap(([event, name]) => {
    const found = within.find((candidate) => candidate.event === event && candidate.atMs <= last.atMs + 1000);
    return found === undefined ? [] : [{ name, ms: found.atMs - beginMs }];
  });
  // The majority is reached when so many have named the new one.
  const majority = own[majorityOf(sentinelCount) - 1];
  const all = own.length >= sentinelCount ? own[sentinelCount - 1] : undefined;
  const paused = within.find(({ event }) => event === "paused");
  return {
    kind: phases.some(({ name }) => name === phaseNames[0]?.[1]) ? "failure" : "planned",
    from: `${oldHost}:${oldPort}`,
    to: `${newHost}:${newPort}`,
    at: new Date(beginMs).toISOString(),
    phases: [
      ...phases,
      ...(majority ? [{ name: "most Sentinels name the new master", ms: majority.atMs - beginMs }] : []),
      ...(all ? [{ name: "all Sentinels do", ms: all.atMs - beginMs }] : []),
    ].toSorted((a, b) => a.ms - b.ms),
    pausedMs: paused && Number(paused.text),
  };
}
