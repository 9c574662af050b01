import type { Command } from "../upstream/command.ts";
import type { Standing } from "./transaction-plan.ts";

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
  readonly #budget: TransactionBudget;
  readonly #confirmed: Command[] = [];
  #bytes = 0;
  #standing: Standing = "good";
  #verdict: "none" | "doubtful" | "refused" = "none";
  #end: "exec" | "discard" | undefined;
  #refusal: Buffer | undefined;
  #builtOn: object | undefined;

  /** @param connection that its MULTI is sent on. */
  constructor(budget: TransactionBudget, connection: object | undefined) {
    this.#budget = budget;
    this.#builtOn = connection;
  }

  /** MULTI and the commands that were queued and confirmed to the client, in order. */
  get confirmed(): readonly Command[] {
    return this.#confirmed;
  }

  /** The server has said that it has begun. */
  get opened(): boolean {
    return this.#confirmed.length > 0;
  }

  get standing(): Standing {
    return this.#standing;
  }

  /** EXEC was sent: if its reply is lost nobody knows whether it ran. */
  get executing(): boolean {
    return this.#end === "exec";
  }

  /** What comes now is no part of it any more, and waits for its end. */
  get ends(): boolean {
    return this.#end !== undefined;
  }

  /** One of its commands was refused: EXEC must fail, as it does after a command that Redis refuses. */
  get refused(): boolean {
    return this.#verdict === "refused";
  }

  /** What the new master said when it refused to begin it again. */
  get refusal(): Buffer | undefined {
    return this.#refusal;
  }

  /** Whether a connection has this transaction; otherwise it has to be built again before the next command. */
  isOn(connection: object | undefined): boolean {
    return this.#builtOn !== undefined && this.#builtOn === connection;
  }

  /** The server has queued a command, MULTI itself first. */
  confirm(command: Command): void {
    this.#confirmed.push(command);
  }

  /** The proxy has refused one of its commands. */
  refuse(): void {
    this.#verdict = "refused";
  }

  /** The server has answered an error to one of its commands: whether EXEC executes the others that server knows, and no other one. */
  doubt(): void {
    if (this.#verdict === "none") this.#verdict = "doubtful";
  }

  /** A Redis that is no master has refused one of its commands. */
  rewind(): void {
    this.#standing = "rewound";
  }

  /** The server has refused MULTI. */
  neverOpened(): void {
    this.#standing = "neverOpened";
  }

  /** EXEC or DISCARD is sent. */
  endWith(end: "exec" | "discard"): void {
    this.#end = end;
  }

  /** EXEC or DISCARD has ended nothing. */
  goOn(): void {
    this.#end = undefined;
  }

  /** No connection has it any more. */
  leaveConnection(): void {
    this.#builtOn = undefined;
  }

  /** It is built again. */
  buildOn(connection: object): void {
    this.#builtOn = connection;
    this.#standing = "good";
    // Only the server that has refused a command knows what EXEC would do.
    if (this.#verdict === "doubtful") this.#verdict = "refused";
  }

  /** The new master refuses to begin it again. */
  refuseToBuild(reply: Buffer): void {
    this.#refusal = reply;
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
