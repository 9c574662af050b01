import type { FailoverStory } from "../operate/last-failover.ts";
import type { Pause } from "./write-meter.ts";

/** What somebody had done by the page. */
export interface DoneAction {
  readonly atMs: number;
  /** "kill redis-instance-1". */
  readonly text: string;
}

/** The last change of the master, in order. */
export interface Timeline {
  /** "redis-instance-1 → redis-instance-2". */
  readonly title: string;
  readonly kind: FailoverStory["kind"];
  /** When it began, ISO 8601. */
  readonly at: string;
  /** For how long the page's client got no write acknowledged, ms; undefined: it wasn't there. */
  readonly pauseMs: number | undefined;
  readonly entries: readonly TimelineEntry[];
}

/** One thing that happened. */
export interface TimelineEntry {
  /** Since the beginning. */
  readonly ms: number;
  readonly text: string;
  readonly of: "action" | "sentinels" | "client";
}

/** An action this long before a failover is its cause: a silent master is seen down after `sentinel:downAfterMs`. */
const causeWithinMs = 15_000;
/** The first write may come so long after all is told. */
const aftermathMs = 3000;

/** Puts the Sentinels' story, what was done by the page and what its client saw into one order. Pure. */
export function tellTimeline(
  story: FailoverStory,
  nameOf: (address: string) => string,
  actions: readonly DoneAction[],
  pauses: readonly Pause[],
): Timeline {
  const toldFromMs = Date.parse(story.at);
  const toldUntilMs = toldFromMs + Math.max(0, ...story.phases.map(({ ms }) => ms));
  const cause = actions.findLast(({ atMs }) => atMs <= toldUntilMs && atMs >= toldFromMs - causeWithinMs);
  const beginMs = Math.min(toldFromMs, cause?.atMs ?? toldFromMs);
  const lengthOf = ({ fromMs, untilMs }: Pause): number => untilMs - fromMs;
  const pause = pauses
    .filter(({ fromMs, untilMs }) => untilMs >= beginMs && fromMs <= toldUntilMs + aftermathMs)
    .toSorted((a, b) => lengthOf(b) - lengthOf(a))[0];
  // The last write may have come a moment before.
  const zeroMs = Math.min(beginMs, pause?.fromMs ?? beginMs);
  const at = (atMs: number, text: string, of: TimelineEntry["of"]): TimelineEntry => ({
    ms: atMs - zeroMs,
    text,
    of,
  });
  const entries = [
    ...(cause ? [at(cause.atMs, cause.text, "action")] : []),
    ...(pause ? [at(pause.fromMs, "the last write before the pause", "client")] : []),
    ...story.phases.map(({ name, ms }) => at(toldFromMs + ms, name, "sentinels")),
    ...(pause ? [at(pause.untilMs, "the first write after it", "client")] : []),
  ];
  return {
    title: `${nameOf(story.from)} → ${nameOf(story.to)}`,
    kind: story.kind,
    at: new Date(zeroMs).toISOString(),
    pauseMs: pause && lengthOf(pause),
    entries: entries.toSorted((a, b) => a.ms - b.ms),
  };
}
