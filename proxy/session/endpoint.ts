import type { Client } from "./client.ts";
import type { PinnedConnection } from "./pinned-connection.ts";

/** One client, as those see it who take its commands in order. */
export interface Endpoint extends Client {
  /** The proxy's number of it. */
  readonly id: number;
  /** A question of the proxy's own is under way. */
  readonly busy: boolean;
  /** It has closed its side. */
  readonly leaving: boolean;
  /** What it needs for states of its own; most clients never have any. */
  readonly pinned: PinnedConnection;
  /** {@link pinned}, if it ever had any. */
  readonly ownConnection: PinnedConnection | undefined;
  /** What it is answered when it has waited for too long to be accepted. @param problem what was found at the last try. */
  loginRefusal(problem: string): Buffer | undefined;
  /** Its first command waits for a connection: not for ever. */
  awaitsConnection(): void;
  /** `CLIENT REPLY`. */
  setReplyMode(mode: "ON" | "OFF" | "SKIP"): void;
  /** There is room again, for the master or for replies. */
  readAgain(): void;
  /** Its bytes are no commands: it is told so, and the connection ends. */
  fail(reply: Buffer): void;
  /** Closes the connection in order. */
  end(): void;
}
