import type { Command } from "../upstream/run.ts";

/** What is known of a client between MULTI and EXEC: enough to build it again on another master. */
export class Transaction {
  /** MULTI and the commands that were queued and confirmed to the client, in order. */
  readonly confirmed: Command[] = [];
  /** EXEC was sent: if its reply is lost nobody knows whether it ran. */
  execSent = false;
  /** A Redis that is no master has refused one of its commands: it can't run there, and is built again from there on. */
  rewound = false;
  /** One command was refused by the proxy: EXEC must fail, as after a command that Redis refuses. */
  refused = false;
  /** The database that a queued SELECT leads to. */
  db: number | undefined;
  /** The connection that has this transaction; unset: it has to be built again before the next command. */
  builtOn: object | undefined;
}
