import { Cron } from "croner";

/** Times of a schedule in UTC. */
export interface Schedule {
  /** The last one at or before a time; undefined: there was none. */
  readonly before: (ms: number) => number | undefined;
  /** The first one after a time; undefined: there will be none. */
  readonly after: (ms: number) => number | undefined;
}

/** Reads five fields of cron: minute, hour, day, month, day of the week. @throws {Error} when they are none. */
export function readSchedule(pattern: string): Schedule {
  // Without a function it only tells times.
  const cron = new Cron(pattern, { timezone: "UTC", mode: "5-part" });
  return {
    // The library gives those before a second; this one counts, too.
    before: (ms) => cron.previousRuns(1, new Date(Math.floor(ms / 1000) * 1000 + 1000))[0]?.getTime(),
    after: (ms) => cron.nextRun(new Date(ms))?.getTime(),
  };
}
