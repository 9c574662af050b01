import type { Command } from "../upstream/command.ts";
import type { UpstreamGroup, Waiter } from "../upstream/upstream-group.ts";
import type { ConnectionWait } from "./connection-wait.ts";
import type { Identity } from "./identity.ts";
import type { Ledger } from "./ledger.ts";
import type { OutputQueue } from "./output-queue.ts";
import type { SessionHost } from "./session-host.ts";
import type { SharedLink } from "./shared-link.ts";

/** One client, as those see it who keep its states and have no part in how its commands are read. */
export interface Client extends Waiter {
  readonly host: SessionHost;
  /** What it hasn't read. */
  readonly output: OutputQueue;
  /** What it is owed. */
  readonly ledger: Ledger;
  /** Who it is. */
  readonly identity: Identity;
  /** It has left, or was ended. */
  readonly ended: boolean;
  /** There is a master. */
  readonly following: boolean;
  /** How long its first command has waited for a connection. */
  readonly connecting: ConnectionWait;
  /** Nothing of it waits to be taken. */
  readonly idle: boolean;
  /** The connection that it shares with others. */
  readonly shared: SharedLink;
  /** The connections of its kind of clients. */
  group(): UpstreamGroup;
  /** The server has agreed to a change of who it is. */
  become(change: Partial<Identity>): void;
  /** Gives a reply of the proxy's own. All earlier replies must have been given. */
  answer(bytes: Buffer): void;
  /** The same, for a command that could go nowhere. */
  refuse(bytes: Buffer): void;
  /** Nothing of it is taken until {@link free}. */
  occupy(): void;
  free(): void;
  /** The command that kept it busy was answered: it is not to be taken again. */
  finished(): void;
  /** Goes on when there is a master. */
  waitForMaster(): void;
  /** A command's time is over although it could go nowhere: it gets this reply instead. */
  expire(command: Command, reply: Buffer): void;
  /** Whether it hasn't left. It is found out first if that wasn't done just now: then false, and it goes on later. */
  isStillThere(): boolean;
  /** Nobody knows what became of the command that it waited for: its connection ends. */
  cutOff(): void;
  destroy(): void;
}
