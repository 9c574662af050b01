import { encodeError, encodeReply, status } from "../resp/encode-reply.ts";
import type { Command } from "../upstream/command.ts";
import type { Client } from "./client.ts";
import type { DedicatedLink } from "./dedicated-link.ts";
import { execNil, tooBigTransactionReply } from "./error-replies.ts";
import { Transaction } from "./transaction.ts";
import { TransactionReplies } from "./transaction-replies.ts";
import { WatchedKeys } from "./watched-keys.ts";

/** They would change the connection in a way that the proxy doesn't see; without replies it would wait for ever. */
const refusedInside: ReadonlySet<string> = new Set(["auth", "hello", "client|reply"]);

const ok = encodeReply(status("OK"), 2);
const execAbort = encodeError("EXECABORT Transaction discarded because of previous errors.");

/**
 * MULTI to EXEC, and WATCH before it. A transaction whose EXEC was not sent is built again on a new master. What becomes of each
 * command is decided in transaction-plan.ts.
 */
export class TransactionFlow {
  readonly #session: Client;
  readonly #link: DedicatedLink;
  readonly #over: () => void;
  readonly #watched: WatchedKeys;
  readonly #replies: TransactionReplies;
  #transaction: Transaction | undefined;
  /** A command was lost behind a MULTI that was lost, too: whether it was queued or executed nobody knows, so the next MULTI's EXEC must fail. */
  #doomed = false;

  /** @param over nothing of it is left: the connection may be given back. */
  constructor(session: Client, link: DedicatedLink, over: () => void) {
    this.#session = session;
    this.#link = link;
    this.#over = over;
    this.#watched = new WatchedKeys(session, link, () => this.#transaction?.executing === true);
    this.#replies = new TransactionReplies(session, link, {
      ended: (transaction) => this.#end(transaction),
      finished: () => this.#finish(),
      gaveUp: () => this.abandon(),
      over,
      metNoMaster: () => this.#watched.lose(),
      doom: () => {
        this.#doomed = true;
      },
    });
  }

  /** Between MULTI and EXEC. */
  get open(): boolean {
    return this.#transaction !== undefined;
  }

  /** What has to be sent before the next command of a transaction that its connection doesn't have. */
  get unbuilt(): readonly Command[] {
    const transaction = this.#transaction;
    return transaction === undefined || transaction.isOn(this.#link.upstream) ? [] : transaction.confirmed;
  }

  /** It needs a connection of its own. */
  get stateful(): boolean {
    return this.open || this.#watched.some;
  }

  /** The proxy has refused a command of it: it can't be executed. */
  refused(): void {
    this.#transaction?.refuse();
  }

  /** Gives it up. */
  abandon(): void {
    this.#end(this.#transaction);
    this.#watched.forget();
    this.#doomed = false;
  }

  /** Its connection is gone. */
  lost(): void {
    this.#watched.lose();
    this.#transaction?.leaveConnection();
  }

  /** MULTI. What it begins is a transaction as soon as the server has said so, and none when it refuses. */
  begin(command: Command): boolean {
    const transaction = new Transaction(this.#session.host.transactions, this.#link.upstream);
    this.#transaction = transaction;
    if (this.#doomed) transaction.refuse();
    this.#doomed = false;
    this.#link.send(command, 1, this.#replies.toMulti(transaction, command), false);
    return true;
  }

  watch(command: Command): boolean {
    return this.#watched.watch(command);
  }

  unwatch(command: Command): boolean {
    return this.#watched.unwatch(command);
  }

  /** EXEC and DISCARD of a transaction whose connection was lost, where no new one is needed. */
  answerAlone({ rule }: Command): boolean {
    const session = this.#session;
    if (!this.open || session.ledger.outstanding > 0) return false;
    if (rule.route === "discard" && this.#link.upstream === undefined) session.answer(ok);
    else if (rule.route === "exec" && this.#watched.lost) {
      session.answer(execNil[session.identity.protocol]);
      session.host.metrics.watchesLost.inc();
      this.#link.spoil();
    } else return false;
    this.abandon();
    this.#over();
    return true;
  }

  /** Takes a command between MULTI and EXEC; false when it has to wait. */
  take(command: Command): boolean {
    const transaction = this.#transaction;
    if (transaction === undefined || transaction.ends || !this.#rebuild(transaction)) return false;
    if (!transaction.opened && !this.#mayFollow(command)) return false;
    if (transaction.refusal !== undefined) return this.#answerUnbuilt(transaction, command);
    switch (command.rule.route) {
      case "exec":
        return this.#execute(transaction, command);
      case "discard":
        transaction.endWith("discard");
        this.#link.send(command, 1, this.#replies.toDiscard(transaction, command));
        return true;
      case "subscribe":
      case "unsubscribe":
      case "session":
        if (command.rule.name !== "unknown") return this.#refuse(transaction, command);
        break;
      case "local":
        this.#link.spoil();
        if (refusedInside.has(command.rule.name)) return this.#refuse(transaction, command);
        break;
      default:
    }
    if (!transaction.reserve(command)) return this.#answerRefusal(transaction, tooBigTransactionReply);
    // It writes at EXEC, not before.
    this.#link.send(command, 1, this.#replies.toQueued(transaction, command), false);
    return true;
  }

  /**
   * Whether a command may be sent before the server has said that there is a transaction. Outside of one it must do what it would do there,
   * and its write isn't confirmed by a replica.
   */
  #mayFollow({ rule }: Command): boolean {
    if (this.#session.ledger.outstanding === 0) return true;
    if (rule.route === "exec" || rule.route === "discard") return true;
    return rule.route === "shared" && this.#link.upstream?.replies.gate === undefined;
  }

  /** Brings what was confirmed to a connection that doesn't have it; false when that has to wait. */
  #rebuild(transaction: Transaction): boolean {
    const session = this.#session;
    const { upstream } = this.#link;
    if (upstream === undefined) return false;
    if (transaction.isOn(upstream)) return true;
    if (session.ledger.outstanding > 0) return false;
    transaction.buildOn(upstream);
    // Not a word of it goes before the server has said that it is a transaction: it would be executed.
    const [multi, ...commands] = transaction.confirmed;
    if (multi === undefined) return true;
    session.occupy();
    this.#link.askFirst(multi, (bytes) => {
      session.free();
      if (bytes === undefined) return;
      if (bytes.equals(ok))
        for (const queuedOnce of commands) this.#link.repeat(queuedOnce, () => transaction.rewind());
      else transaction.refuseToBuild(bytes);
      session.wake();
    });
    return false;
  }

  /** The new master doesn't let this client begin a transaction: it says so at every command, and nothing is executed. */
  #answerUnbuilt(transaction: Transaction, { rule }: Command): boolean {
    const session = this.#session;
    if (session.ledger.outstanding > 0) return false;
    if (rule.route === "exec") session.answer(execAbort);
    else if (rule.route === "discard") session.answer(ok);
    else session.answer(transaction.refusal ?? execAbort);
    if (rule.route === "exec" || rule.route === "discard") this.#finish();
    return true;
  }

  #refuse(transaction: Transaction, { rule }: Command): boolean {
    const name = rule.name.replace("|", " ");
    return this.#answerRefusal(
      transaction,
      encodeError(`ERR ${name} isn't possible inside MULTI through the proxy`),
    );
  }

  #answerRefusal(transaction: Transaction, reply: Buffer): boolean {
    transaction.refuse();
    if (this.#session.ledger.outstanding > 0) return false;
    this.#session.answer(reply);
    return true;
  }

  #execute(transaction: Transaction, command: Command): boolean {
    // Answered with nil as soon as nothing is outstanding.
    if (this.#watched.lost) return false;
    if (transaction.refused) return this.#abort();
    transaction.endWith("exec");
    this.#link.send(command, 1, this.#replies.toExec(transaction, command));
    return true;
  }

  /** The proxy has refused one of the commands: as when Redis refuses one. */
  #abort(): boolean {
    if (this.#session.ledger.outstanding > 0) return false;
    this.#link.adopt(["DISCARD"]);
    this.#session.answer(execAbort);
    this.#finish();
    return true;
  }

  #finish(): void {
    this.abandon();
    this.#over();
  }

  /** @param transaction the one that is over; another one may have begun since. */
  #end(transaction: Transaction | undefined): void {
    transaction?.end();
    if (this.#transaction === transaction) this.#transaction = undefined;
  }
}
