import type { Command } from "../upstream/command.ts";

/** The bytes that all open transactions keep. */
export class TransactionBudget {
  total = 0;
  readonly limit: number;

  /** @param limit bytes of all clients together. */
  constructor(limit: number) {
    this.limit = limit;
  }
}

/** What is known of a client between MULTI and EXEC: enough to build it again on another master. */
export class Transaction {
  /** MULTI and the commands that were queued and confirmed to the client, in order. */
  readonly confirmed: Command[] = [];
  /** EXEC was sent: if its reply is lost nobody knows whether it ran. */
  execSent = false;
  /** DISCARD was sent. */
  discardSent = false;
  /** A Redis that is no master has refused one of its commands: it can't run there, and is built again from there on. */
  rewound = false;
  /** One command was refused by the proxy: EXEC must fail, as after a command that Redis refuses. */
  refused = false;
  /** The server has answered an error to one command: whether EXEC executes the others that server knows, and no other one. */
  doubtful = false;
  /** The server has refused MULTI: what was sent behind it was no part of anything. */
  neverOpened = false;
  /** What the new master said when it refused to begin it again. */
  refusal: Buffer | undefined;
  /** The connection that has this transaction; unset: it has to be built again before the next command. */
  builtOn: object | undefined;
  readonly #budget: TransactionBudget;
  #bytes = 0;

  constructor(budget: TransactionBudget) {
    this.#budget = budget;
  }

  /** The server has said that it has begun. */
  get opened(): boolean {
    return this.confirmed.length > 0;
  }

  /** What comes now is no part of it any more, and waits for its end. */
  get ends(): boolean {
    return this.execSent || this.discardSent;
  }

  /** Takes note of a command that is sent or kept; false when there is no room for it. */
  reserve(command: Command): boolean {
    const bytes = command.size;
    if (this.#budget.total + bytes > this.#budget.limit) return false;
    this.#bytes += bytes;
    this.#budget.total += bytes;
    return true;
  }

  /** Such a command isn't kept. */
  release(command: Command): void {
    this.#free(Math.min(command.size, this.#bytes));
  }

  /** It is over, and keeps nothing any more. */
  end(): void {
    this.#free(this.#bytes);
  }

  #free(bytes: number): void {
    this.#bytes -= bytes;
    this.#budget.total -= bytes;
  }
}
