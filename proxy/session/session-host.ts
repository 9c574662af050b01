import type { CommandTable } from "../commands/command-table.ts";
import type { ProxyMetrics } from "../metrics.ts";
import type { ReplyValue } from "../resp/encode-reply.ts";
import type { Authenticator } from "../upstream/authenticator.ts";
import type { MasterLink } from "../upstream/master-link.ts";
import type { ByteBudget } from "./byte-budget.ts";
import type { OutputBudget } from "./output-budget.ts";
import type { Session } from "./session.ts";
import type { TransactionBudget } from "./transaction.ts";

/** Bounds for one client, and for all of them together. */
export interface SessionLimits {
  /** Bytes and pieces of one client that are held; beyond them it isn't read from any more. */
  readonly heldBytes: number;
  readonly heldPieces: number;
  /** Bytes that are read from a client that doesn't read its replies; beyond them its commands go on, and more replies pile up. */
  readonly aheadBytes: number;
  /** Held bytes of all clients. */
  readonly heldBytesInAll: number;
  /** Unread replies of one client: above it its commands wait, as long as it may send more of them. */
  readonly pauseAtOutput: number;
  /** Unread replies of all clients: above it those that read nothing are dropped, then those with the most. */
  readonly unreadBytesInAll: number;
  /** Commands in open transactions of all clients: beyond it a command isn't queued. */
  readonly transactionBytesInAll: number;
  /** A command that has begun must move on by {@link partialCommandBytes} or be complete within this time, ms. */
  readonly partialCommandMs: number;
  readonly partialCommandBytes: number;
  /** Without a password that is accepted a client may stay so long, ms. */
  readonly authenticateWithinMs: number;
}

export const defaultSessionLimits: SessionLimits = {
  heldBytes: 2 ** 20,
  heldPieces: 1024,
  aheadBytes: 16 * 2 ** 20,
  heldBytesInAll: 64 * 2 ** 20,
  pauseAtOutput: 4 * 2 ** 20,
  unreadBytesInAll: 128 * 2 ** 20,
  transactionBytesInAll: 64 * 2 ** 20,
  partialCommandMs: 30_000,
  partialCommandBytes: 256 * 1024,
  authenticateWithinMs: 5000,
};

/** What the proxy knows of the Redis behind it. */
export interface ServerProfile {
  readonly version: string;
  /** Number of databases that `SELECT` may choose from. */
  readonly databases: number;
  readonly table: CommandTable;
}

/** What all sessions of one proxy share. */
export interface SessionHost {
  readonly link: MasterLink;
  readonly authenticator: Authenticator;
  readonly limits: SessionLimits;
  readonly metrics: ProxyMetrics;
  /** What is known of the server that was seen last. */
  readonly server: ServerProfile;
  /** Answers `SENTINEL …`; undefined when the Sentinel API is off. */
  readonly answerSentinel: ((args: readonly Buffer[]) => ReplyValue) | undefined;
  /** The bytes that wait for all clients. */
  readonly budget: ByteBudget;
  /** The replies that nobody has read yet. */
  readonly outputs: OutputBudget;
  readonly transactions: TransactionBudget;
  ended(session: Session): void;
}
