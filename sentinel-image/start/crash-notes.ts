import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { renderMetrics } from "../supervise/metrics-text.ts";

/** What became of the master's role when its server ended by itself. */
export type CrashOutcome = "asked" | "backed-off" | "left";

/** What an instance notes of its server's ends on its volume: they outlive the container, as its counters have to. */
export interface CrashNotes {
  /** When its server last ended without having been told to; ms since 1970, undefined: never. */
  readonly lastMs: number | undefined;
  /** How often it has. */
  readonly crashes: number;
  /** Failovers that were asked for at once, that weren't since another crash was too short ago, and that were left to the Sentinels. */
  readonly outcomes: Readonly<Record<CrashOutcome, number>>;
}

/**
 * An instance that crashes again and again, by a broken module or a command that kills it, must not drag the master's role around: the second
 * crash within this time, ms, waits for the Sentinels' own time.
 */
export const crashPauseMs = 10_000;

const none: CrashNotes = {
  lastMs: undefined,
  crashes: 0,
  outcomes: { asked: 0, "backed-off": 0, left: 0 },
};

/** Reads the notes; without a file, or with one that makes no sense, there are none. */
export function readCrashNotes(file: string): CrashNotes {
  try {
    const { lastMs, crashes, outcomes } = JSON.parse(readFileSync(file, "utf8")) as CrashNotes;
    const numbers = [lastMs, crashes, outcomes.asked, outcomes["backed-off"], outcomes.left];
    return numbers.every(Number.isSafeInteger) ? { lastMs, crashes, outcomes } : none;
  } catch {
    return none;
  }
}

/**
 * Writes them. Not through to the disk: a failover waits for it, and they are about servers that die, not about machines.
 *
 * @throws {Error} when the volume takes nothing.
 */
export function writeCrashNotes(file: string, notes: CrashNotes): void {
  const temporary = `${file}.tmp`;
  writeFileSync(temporary, JSON.stringify(notes), { mode: 0o600 });
  renameSync(temporary, file);
}

/** Notes one more crash. @param nowMs since 1970: the monotonic clock doesn't outlive the machine. */
export function noteCrash(notes: CrashNotes, nowMs: number): CrashNotes {
  return { ...notes, lastMs: nowMs, crashes: notes.crashes + 1 };
}

export function noteOutcome(notes: CrashNotes, outcome: CrashOutcome): CrashNotes {
  return { ...notes, outcomes: { ...notes.outcomes, [outcome]: notes.outcomes[outcome] + 1 } };
}

/** Whether the last crash is too short ago. A clock that was set back may hide how long: then it is. */
export function backsOff({ lastMs }: CrashNotes, nowMs: number): boolean {
  return lastMs !== undefined && nowMs - lastMs < crashPauseMs;
}

/** The instance's metrics, in Prometheus' text format. */
export function renderCrashMetrics({ crashes, outcomes }: CrashNotes): string {
  return renderMetrics([
    {
      name: "redis_ha_server_crashes_total",
      help: "Ends of redis-server that nobody asked for, since the volume is there.",
      value: crashes,
    },
    ...Object.entries(outcomes).map(([outcome, value]) => ({
      name: "redis_ha_crash_failovers_total",
      help: "What became of them on a master: failover asked for at once, not so soon after another crash, left to the Sentinels.",
      value,
      labels: { outcome },
    })),
  ]);
}
