import type { ClientReport } from "./checker.ts";
import type { StallReport } from "./measure-stalls.ts";

/** What one fault did to the clients. Times are in ms. */
export interface RoundReport {
  readonly round: number;
  readonly fault: string;
  readonly failover: boolean;
  readonly clients: readonly ClientReport[];
  readonly stalls: StallReport;
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
}
