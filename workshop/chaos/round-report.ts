import type { RegisterReport } from "./check-registers.ts";
import type { ClientReport } from "./client-report.ts";
import type { StallReport } from "./measure-stalls.ts";
import type { Timeline } from "./timeline.ts";

/** What one fault did to the clients. Times are in ms. */
export interface RoundReport {
  readonly round: number;
  readonly fault: string;
  /** Another master was to be announced or, where either is right, was. */
  readonly failover: boolean;
  /** Another master was announced although nothing had happened to the one there was. */
  readonly falseFailover: boolean;
  /** Longest time after the fault in which a client had no write acknowledged; clients that were cut off don't count. */
  readonly gapMs: number | undefined;
  /** What the fault allows for it. */
  readonly gapBoundMs: number;
  /** Acknowledged writes of all clients that weren't cut off. */
  readonly timeline: Timeline;
  /** What the Sentinels told, ms after the fault. */
  readonly events: readonly string[];
  /** Clients whose own proxy was cut off or killed. */
  readonly cutOff: readonly string[];
  /** What the fault itself saw and should not have. */
  readonly broken: readonly string[];
  readonly clients: readonly ClientReport[];
  readonly stalls: StallReport;
  readonly registers: RegisterReport;
  /** From the fault to the first announcement of another master, by any Sentinel. */
  readonly announcedAfterMs: number | undefined;
  /** The event that it was: `+promoted-slave` or `+switch-master`. */
  readonly announcedBy: string | undefined;
  /** From there until the new master took a write that was sent straight to it: before it has a replica it takes none. */
  readonly announcementToAcceptMs: number | undefined;
  /** From the announcement to the first write that the new master took and a client had acknowledged. */
  readonly announcementToWriteMs: number | undefined;
  /** Writes that another instance than the announced master executed later than 50 ms after the announcement. */
  readonly staleWrites: readonly string[];
  /** Such writes that lay in a frozen master's socket; their clients were told that their outcome is unknown. */
  readonly lateWrites: number;
  /** Why connections ended, with the client. */
  readonly disconnects: readonly string[];
  /** Some of the commands that ended with an error: what they were, and when they were sent and ended, after the fault. */
  readonly failures: readonly string[];
  /** Writes that the instances themselves saw more than once, with what happened around them. */
  readonly duplicateTraces: readonly string[];
  /** What broke an expectation. */
  readonly violations: readonly string[];
  /** What took longer than it should: on a machine that does other work, too, that may be nobody's fault. */
  readonly slow: readonly string[];
}
