import type { CommandTable } from "../commands/command-table.ts";
import type { ProxyMetrics } from "../metrics.ts";
import type { ReplyValue } from "../resp/encode-reply.ts";
import type { Authenticator } from "../upstream/authenticator.ts";
import type { MasterLink } from "../upstream/master-link.ts";
import type { ByteBudget } from "./byte-budget.ts";
import type { OutputBudget } from "./output-budget.ts";
import type { RedirectTargets } from "./redirect-targets.ts";
import type { SubscriptionBudget } from "./subscriptions.ts";
import type { TransactionBudget } from "./transaction.ts";

/** Bounds for one client, and for all of them together. */
export interface SessionLimits {
  /** Bytes and pieces of one client that are held; beyond them it isn't read from any more. */
  readonly heldBytes: number;
  readonly heldPieces: number;
  /** Bytes that are read from a client that doesn't read its replies; beyond them its commands go on, and more replies pile up. */
  readonly aheadBytes: number;
  /** One argument of a command. */
  readonly argBytes: number;
  /** Held bytes of all clients. */
  readonly heldBytesInAll: number;
  /** Growth of the process from which garbage is collected while clients' commands are kept. */
  readonly collectAfterBytes: number;
  /** Unread replies of one client: above it its commands wait, as long as it may send more of them. */
  readonly pauseAtOutput: number;
  /** Unread replies of all clients: above it those that read nothing are dropped, then those with the most. */
  readonly unreadBytesInAll: number;
  /** Commands in open transactions of all clients: beyond it a command isn't queued. */
  readonly transactionBytesInAll: number;
  /** The names of all channels and patterns that all clients are subscribed to. */
  readonly subscribedBytesInAll: number;
  /** Scripts that clients have loaded: beyond it the oldest are forgotten. */
  readonly scriptBytes: number;
  /** A command that has begun must move on by {@link partialCommandBytes} or be complete within this time, ms. */
  readonly partialCommandMs: number;
  readonly partialCommandBytes: number;
  /** Without a password that is accepted a client may stay so long, ms. */
  readonly authenticateWithinMs: number;
}

const mebi = 2 ** 20;
/** No Redis takes a bigger value (`proto-max-bulk-len`). */
const biggestArgBytes = 512 * mebi;

/**
 * The bounds of a proxy with so much memory. A bit more than half of it is for what clients have sent, haven't read, or keep there; the
 * rest is for everything else.
 *
 * @param workers processes that share the memory.
 */
export function sessionLimits(memoryBytes: number, workers = 1): SessionLimits {
  const share = (part: number): number => Math.floor(memoryBytes / workers / part);
  return {
    heldBytes: mebi,
    heldPieces: 1024,
    aheadBytes: Math.min(16 * mebi, share(16)),
    argBytes: Math.min(biggestArgBytes, Math.floor(memoryBytes / 8)),
    heldBytesInAll: share(8),
    collectAfterBytes: share(3),
    pauseAtOutput: 4 * mebi,
    unreadBytesInAll: share(4),
    transactionBytesInAll: share(8),
    subscribedBytesInAll: share(16),
    scriptBytes: share(64),
    partialCommandMs: 30_000,
    partialCommandBytes: 256 * 1024,
    authenticateWithinMs: 5000,
  };
}

/** Those of a proxy with the default `proxy:memory`. */
export const defaultSessionLimits: SessionLimits = sessionLimits(512 * mebi);

/** What the proxy knows of the Redis behind it. */
export interface ServerProfile {
  /** The Redis that it is, or is compatible with. */
  readonly version: string;
  /** What it says of itself in `HELLO`. */
  readonly greeting: { readonly server: string; readonly version: string };
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
  readonly subscriptions: SubscriptionBudget;
  readonly redirects: RedirectTargets;
}
