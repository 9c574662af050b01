import { encodeError, encodeReply, status } from "../resp/encode-reply.ts";
import type { Command } from "../upstream/command.ts";
import type { ReplyHandler } from "../upstream/run.ts";
import type { Client } from "./client.ts";
import type { DedicatedLink } from "./dedicated-link.ts";
import { execNil, tooBigTransactionReply, uncertainReply } from "./error-replies.ts";
import { Transaction } from "./transaction.ts";
import { applyEffects } from "./transaction-effects.ts";
import { execLost, translateExec } from "./translate.ts";

/** They would change the connection in a way that the proxy doesn't see; without replies it would wait for ever. */
const refusedInside: ReadonlySet<string> = new Set(["auth", "hello", "client|reply"]);

const ok = encodeReply(status("OK"), 2);
const queued = encodeReply(status("QUEUED"), 2);
const execAbort = encodeError("EXECABORT Transaction discarded because of previous errors.");

/**
 * MULTI to EXEC, and WATCH before it. A transaction whose EXEC was not sent is built again on a new master; keys that were
 * watched on a lost connection may have changed, so its EXEC answers nil.
 */
export class TransactionFlow {
  readonly #session: Client;
  readonly #link: DedicatedLink;
  readonly #over: () => void;
  #transaction: Transaction | undefined;
  #watching = false;
  /** The connection that watched was lost: whether a key has changed nobody knows. */
  #watchLost = false;
  /** A command was lost behind a MULTI that was lost, too: whether it was queued or executed nobody knows, so the next MULTI's EXEC must fail. */
  #doomed = false;

  /** @param over nothing of it is left: the connection may be given back. */
  constructor(session: Client, link: DedicatedLink, over: () => void) {
    this.#session = session;
    this.#link = link;
    this.#over = over;
  }

  /** Between MULTI and EXEC. */
  get open(): boolean {
    return this.#transaction !== undefined;
  }

  /** What has to be sent before the next command of a transaction that its connection doesn't have. */
  get unbuilt(): readonly Command[] {
    const transaction = this.#transaction;
    if (transaction === undefined || transaction.builtOn === this.#link.upstream) return [];
    return transaction.confirmed;
  }

  /** It needs a connection of its own. */
  get stateful(): boolean {
    return this.open || this.#watching;
  }

  /** The proxy has refused a command of it: it can't be executed. */
  refused(): void {
    if (this.#transaction !== undefined) this.#transaction.refused = true;
  }

  /** Gives it up. */
  abandon(): void {
    this.#end(this.#transaction);
    this.#watching = this.#watchLost = this.#doomed = false;
  }

  /** Its connection is gone. */
  lost(): void {
    if (this.#watching) this.#watchLost = true;
    if (this.#transaction !== undefined) this.#transaction.builtOn = undefined;
  }

  /** MULTI. What it begins is a transaction as soon as the server has said so, and none when it refuses. */
  begin(command: Command): boolean {
    const session = this.#session;
    const transaction = new Transaction(session.host.transactions);
    this.#transaction = transaction;
    transaction.builtOn = this.#link.upstream;
    transaction.refused = this.#doomed;
    this.#doomed = false;
    const handler: ReplyHandler = {
      reply: (bytes) => {
        if (this.#link.rejected(bytes, command)) {
          this.#end(transaction);
          transaction.rewound = true;
          return;
        }
        if (bytes.equals(ok)) transaction.confirmed.push(command);
        else {
          transaction.neverOpened = true;
          this.#end(transaction);
        }
        this.#link.give(bytes);
        this.#over();
      },
      lost: (sent, term) => {
        if (transaction.execSent && sent && !transaction.rewound) {
          session.ledger.giveBack({ kind: "reply", bytes: ok });
          return;
        }
        this.#end(transaction);
        session.ledger.lostCommand(command, false, term);
      },
    };
    this.#link.send(command, 1, handler, false);
    return true;
  }

  watch(command: Command): boolean {
    this.#link.send(command, 1, {
      reply: (bytes) => {
        if (bytes.equals(ok)) this.#watching = true;
        if (!this.#link.rejected(bytes, command, bytes)) this.#link.giveOrRepeat(bytes, command);
      },
      lost: (sent, term) => {
        // It ends with the EXEC that is in flight behind it.
        if (sent && this.#transaction?.execSent === true)
          this.#session.ledger.giveBack({ kind: "reply", bytes: ok });
        else this.#session.ledger.lostCommand(command, sent, term);
      },
    });
    return true;
  }

  unwatch(command: Command): boolean {
    this.#link.send(command, 1, {
      reply: (bytes) => {
        if (bytes.equals(ok)) this.#watching = this.#watchLost = false;
        if (!this.#link.rejected(bytes, command, bytes)) this.#link.giveOrRepeat(bytes, command);
      },
      lost: (sent, term) => this.#session.ledger.lostCommand(command, sent, term),
    });
    return true;
  }

  /** EXEC and DISCARD of a transaction whose connection was lost, where no new one is needed. */
  answerAlone({ rule }: Command): boolean {
    const session = this.#session;
    if (!this.open || session.ledger.outstanding > 0) return false;
    if (rule.route === "discard" && this.#link.upstream === undefined) session.answer(ok);
    else if (rule.route === "exec" && this.#watchLost) {
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
        this.#discard(transaction, command);
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
    this.#queue(transaction, command);
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
    if (transaction.builtOn === upstream) return true;
    if (session.ledger.outstanding > 0) return false;
    transaction.builtOn = upstream;
    transaction.rewound = false;
    if (transaction.doubtful) transaction.refused = true;
    // Not a word of it goes before the server has said that it is a transaction: it would be executed.
    const [multi, ...commands] = transaction.confirmed;
    if (multi === undefined) return true;
    session.occupy();
    this.#link.askFirst(multi, (bytes) => {
      session.free();
      if (bytes === undefined) return;
      if (bytes.equals(ok)) for (const queuedOnce of commands) this.#link.repeat(queuedOnce);
      else transaction.refusal = bytes;
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
    transaction.refused = true;
    if (this.#session.ledger.outstanding > 0) return false;
    this.#session.answer(reply);
    return true;
  }

  #queue(transaction: Transaction, command: Command): void {
    const session = this.#session;
    const handler: ReplyHandler = {
      reply: (bytes) => {
        if (transaction.neverOpened) {
          transaction.release(command);
          if (!this.#link.rejected(bytes, command, bytes)) this.#link.giveOrRepeat(bytes, command);
          return;
        }
        if (this.#link.rejected(bytes, command)) {
          transaction.release(command);
          transaction.rewound = true;
          return;
        }
        if (transaction.rewound) {
          transaction.release(command);
          session.ledger.giveBack({ kind: "command", command });
          return;
        }
        if (bytes.equals(queued)) transaction.confirmed.push(command);
        else {
          transaction.release(command);
          transaction.doubtful = true;
        }
        this.#link.give(bytes);
      },
      lost: (sent, term) => {
        // EXEC is in flight behind it: nothing may be sent again.
        if (transaction.execSent && sent && !transaction.rewound && !transaction.neverOpened) {
          session.ledger.giveBack({ kind: "reply", bytes: queued });
          return;
        }
        transaction.release(command);
        if (sent && !transaction.opened && !transaction.rewound) {
          if (!transaction.neverOpened) this.#doomed = !command.rule.effectFree || this.#doomed;
          session.ledger.lostCommand(command, sent, term);
        } else session.ledger.lostCommand(command, false, term);
      },
    };
    // It writes at EXEC, not before.
    this.#link.send(command, 1, handler, false);
  }

  #discard(transaction: Transaction, command: Command): void {
    const session = this.#session;
    transaction.discardSent = true;
    this.#link.send(command, 1, {
      reply: (bytes) => {
        if (transaction.rewound) {
          transaction.discardSent = false;
          session.ledger.giveBack({ kind: "command", command });
          return;
        }
        this.#link.give(bytes);
        if (transaction.neverOpened) this.#over();
        else if (bytes.equals(ok)) this.#finish();
        else {
          transaction.discardSent = false;
          // Redis lets nobody execute a transaction in which it has refused a command.
          transaction.doubtful = true;
        }
      },
      lost: (_sent, term) => {
        transaction.discardSent = false;
        session.ledger.lostCommand(command, false, term);
      },
    });
  }

  #execute(transaction: Transaction, command: Command): boolean {
    // Answered with nil as soon as nothing is outstanding.
    if (this.#watchLost) return false;
    if (transaction.refused) return this.#abort();
    transaction.execSent = true;
    this.#link.send(command, 1, this.#execHandler(transaction, command));
    return true;
  }

  #execHandler(transaction: Transaction, command: Command): ReplyHandler {
    const session = this.#session;
    const again = (): void => {
      transaction.execSent = false;
      transaction.builtOn = undefined;
    };
    return {
      // A watched key has changed.
      wroteNothing: (bytes) => bytes.equals(execNil[session.identity.protocol]),
      reply: (bytes) => {
        if (transaction.neverOpened) {
          this.#link.give(bytes, true);
          this.#over();
          return;
        }
        if (this.#link.rejected(bytes, command)) {
          again();
          if (this.#watching) this.#watchLost = true;
          return;
        }
        if (transaction.rewound) {
          again();
          session.ledger.giveBack({ kind: "command", command });
          return;
        }
        const commands = transaction.confirmed.slice(1);
        const { upstream } = this.#link;
        this.#link.give(
          upstream === undefined ? bytes : translateExec(bytes, commands, upstream, session.host.redirects),
          true,
        );
        applyEffects(session, commands, bytes);
        this.#finish();
      },
      lost: (sent, term) => {
        if (sent && !transaction.rewound && !transaction.neverOpened) {
          session.ledger.giveBack({ kind: "reply", bytes: uncertainReply });
          session.host.metrics.uncertain.inc();
          execLost(transaction.confirmed, session.host.link.scripts);
          this.abandon();
          return;
        }
        transaction.execSent = false;
        session.ledger.lostCommand(command, false, term);
      },
    };
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
