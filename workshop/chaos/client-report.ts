import type { Reordering } from "./find-reorderings.ts";

/** What became of one client's commands. */
export interface ClientReport {
  readonly client: string;
  readonly sent: number;
  readonly acknowledged: number;
  /** Commands that may or may not have run: the error doesn't say that they didn't. Reads are not among them. */
  readonly unknown: number;
  /** Commands that never got an answer. */
  readonly open: number;
  /** Error class → number of commands. */
  readonly errors: Readonly<Record<string, number>>;
  /** Those of reads alone. */
  readonly readErrors: Readonly<Record<string, number>>;
  /** Connections that the other side ended. */
  readonly disconnects: number;
  /** Connections that the client ended itself: go-redis and redis-py wait 5 s for an answer, and then ask again. */
  readonly ownTimeouts: number;
  /** Each execution too many: `RPUSH 17`, or `INCR` for one of a counter. */
  readonly duplicates: readonly string[];
  /** Acknowledged and not there. */
  readonly lost: readonly string[];
  /** The same, acknowledged in the time in which the fault allows it: without durability nobody can prevent that. */
  readonly lostAsAllowed: readonly string[];
  /** The error said that the command wasn't executed, and it was. */
  readonly refusedButExecuted: readonly string[];
  readonly reordered: readonly Reordering[];
  /** Writes whose outcome was unknown, and that are there. */
  readonly recovered: number;
  /** Elements that are there and that this client never wrote. */
  readonly phantom: readonly string[];
  /** Reads of the list that gave elements which are gone, or in another order, in the end. */
  readonly rolledBack: readonly string[];
  /** Values that this client never wrote, and reads that didn't give an acknowledged value. */
  readonly wrong: readonly string[];
}
