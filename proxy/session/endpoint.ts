import type { Client } from "./client.ts";
import type { Departure } from "./departure.ts";
import type { PinnedConnection } from "./pinned-connection.ts";
import type { ReplyMode } from "./reply-mode.ts";

/** One client, as those see it who take its commands in order. */
export interface Endpoint extends Client {
  /** The proxy's number of it. */
  readonly id: number;
  /** A question of the proxy's own is under way. */
  readonly busy: boolean;
  /** What it needs for states of its own; most clients never have any. */
  readonly pinned: PinnedConnection;
  /** {@link pinned}, if it ever had any. */
  readonly ownConnection: PinnedConnection | undefined;
  /** `CLIENT REPLY`. */
  readonly replyMode: ReplyMode;
  /** There is room again, for the master or for replies. */
  readAgain(): void;
  /** How it leaves. */
  readonly departure: Departure;
}
