import { decodeCommand } from "../resp/command-frame.ts";
import { encodeError, encodeReply, status } from "../resp/encode-reply.ts";
import type { Command, ReplyHandler } from "../upstream/run.ts";
import type { DedicatedLink } from "./dedicated-link.ts";
import { execNil, tooBigTransactionReply, uncertainReply } from "./error-replies.ts";
import type { Session } from "./session.ts";
import { Transaction } from "./transaction.ts";

/** They would change the connection in a way that the proxy doesn't see; without replies it would wait for ever. */
const refusedInside: ReadonlySet<string> = new Set(["auth", "hello", "client|reply"]);

const ok = encodeReply(status("OK"), 2);
const queued = encodeReply(status("QUEUED"), 2);

/**
 * MULTI to EXEC, and WATCH before it. A transaction whose EXEC was not sent is built again on a new master; keys that were
 * watched on a lost connection may have changed, so its EXEC answers nil.
 */
export class TransactionFlow {
  readonly #session: Session;
  readonly #link: DedicatedLink;
  readonly #over: () => void;
  #transaction: Transaction | undefined;
  #watching = false;
  /** The connection that watched was lost: whether a key has changed nobody knows. */
  #watchLost = false;

  /** @param over nothing of it is left: the connection may be given back. */
  constructor(session: Session, link: DedicatedLink, over: () => void) {
    this.#session = session;
    this.#link = link;
    this.#over = over;
  }

  /** Between MULTI and EXEC. */
  get open(): boolean {
    return this.#transaction !== undefined;
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
    this.#end();
    this.#watching = this.#watchLost = false;
  }

  /** Its connection is gone. */
  lost(): void {
    if (this.#watching) this.#watchLost = true;
    if (this.#transaction !== undefined) this.#transaction.builtOn = undefined;
  }

  begin(command: Command): boolean {
    const transaction = new Transaction(this.#session.host.transactions);
    this.#transaction = transaction;
    transaction.builtOn = this.#link.upstream;
    this.#queue(transaction, command, ok);
    return true;
  }

  watch(command: Command): boolean {
    this.#watching = true;
    this.#link.send(command, 1, {
      reply: (bytes) => {
        if (!this.#link.rejected(bytes, command, bytes)) this.#link.giveOrRepeat(bytes, command);
      },
      lost: (sent) => {
        // It ends with the EXEC that is in flight behind it.
        if (sent && this.#transaction?.execSent === true)
          this.#session.giveBack({ kind: "reply", bytes: ok });
        else this.#session.lostCommand(command, sent);
      },
    });
    return true;
  }

  unwatch(command: Command): boolean {
    this.#watching = this.#watchLost = false;
    this.#link.exchange(command);
    return true;
  }

  /** EXEC and DISCARD of a transaction whose connection was lost, where no new one is needed. */
  answerAlone({ rule }: Command): boolean {
    const session = this.#session;
    if (!this.open || session.outstanding > 0) return false;
    if (rule.route === "discard" && this.#link.upstream === undefined) session.answer(ok);
    else if (rule.route === "exec" && this.#watchLost) {
      session.answer(execNil[session.protocol]);
      session.host.metrics.watchesLost.inc();
      this.#link.dirty = this.#link.upstream !== undefined;
    } else return false;
    this.abandon();
    this.#over();
    return true;
  }

  /** Takes a command between MULTI and EXEC; false when it has to wait. */
  take(command: Command): boolean {
    const transaction = this.#transaction;
    if (transaction === undefined || transaction.ends || !this.#rebuild(transaction)) return false;
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
        this.#link.dirty = true;
        if (refusedInside.has(command.rule.name)) return this.#refuse(transaction, command);
        if (command.rule.name === "select") {
          const index = decodeCommand(Buffer.concat(command.pieces), 2)[1]?.toString() ?? "";
          // Any other one is an error in the reply of EXEC, and the database stays.
          const { databases } = this.#session.host.server;
          if (/^(0|[1-9]\d{0,9})$/.test(index) && Number(index) < databases) transaction.db = Number(index);
        }
        break;
      default:
    }
    if (!transaction.reserve(command)) return this.#answerRefusal(transaction, tooBigTransactionReply);
    this.#queue(transaction, command, queued);
    return true;
  }

  /** Brings what was confirmed to a connection that doesn't have it; false when that has to wait. */
  #rebuild(transaction: Transaction): boolean {
    const { upstream } = this.#link;
    if (upstream === undefined) return false;
    if (transaction.builtOn === upstream) return true;
    if (this.#session.outstanding > 0) return false;
    transaction.builtOn = upstream;
    transaction.rewound = false;
    if (transaction.doubtful) transaction.refused = true;
    for (const { pieces } of transaction.confirmed) this.#link.sendOwn(Buffer.concat(pieces));
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
    if (this.#session.outstanding > 0) return false;
    this.#session.answer(reply);
    return true;
  }

  #queue(transaction: Transaction, command: Command, expected: Buffer): void {
    const session = this.#session;
    const handler: ReplyHandler = {
      reply: (bytes) => {
        if (this.#link.rejected(bytes, command)) {
          transaction.release(command);
          if (transaction.confirmed.length === 0) this.#end();
          transaction.rewound = true;
          return;
        }
        if (transaction.rewound) {
          transaction.release(command);
          session.giveBack({ kind: "command", command });
          return;
        }
        if (bytes[0] === 43) transaction.confirmed.push(command);
        else {
          transaction.release(command);
          transaction.doubtful = true;
        }
        this.#link.give(bytes);
      },
      lost: (sent) => {
        // EXEC is in flight behind it: nothing may be sent again.
        if (transaction.execSent && sent && !transaction.rewound) {
          session.giveBack({ kind: "reply", bytes: expected });
          return;
        }
        transaction.release(command);
        if (command.rule.route === "multi") this.#end();
        session.giveBack({ kind: "command", command });
      },
    };
    // It writes at EXEC, not before.
    this.#link.send(command, 1, handler, false);
  }

  #discard(transaction: Transaction, command: Command): void {
    transaction.discardSent = true;
    this.#link.send(command, 1, {
      reply: (bytes) => {
        if (transaction.rewound) {
          transaction.discardSent = false;
          this.#session.giveBack({ kind: "command", command });
          return;
        }
        this.#link.give(bytes);
        this.#finish();
      },
      lost: () => {
        transaction.discardSent = false;
        this.#session.giveBack({ kind: "command", command });
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
      wroteNothing: (bytes) => bytes.equals(execNil[session.protocol]),
      reply: (bytes) => {
        if (this.#link.rejected(bytes, command)) {
          again();
          if (this.#watching) this.#watchLost = true;
          return;
        }
        if (transaction.rewound) {
          again();
          session.giveBack({ kind: "command", command });
          return;
        }
        this.#link.give(bytes, true);
        if (transaction.db !== undefined && bytes[0] === 42) {
          session.db = transaction.db;
          session.changeGroup();
        }
        this.#finish();
      },
      lost: (sent) => {
        if (sent && !transaction.rewound) {
          session.giveBack({ kind: "reply", bytes: uncertainReply });
          session.host.metrics.uncertain.inc();
          this.abandon();
          return;
        }
        transaction.execSent = false;
        session.giveBack({ kind: "command", command });
      },
    };
  }

  /** The proxy has refused one of the commands: as when Redis refuses one. */
  #abort(): boolean {
    if (this.#session.outstanding > 0) return false;
    this.#link.adopt(["DISCARD"]);
    this.#session.answer(encodeError("EXECABORT Transaction discarded because of previous errors."));
    this.#finish();
    return true;
  }

  #finish(): void {
    this.abandon();
    this.#over();
  }

  #end(): void {
    this.#transaction?.end();
    this.#transaction = undefined;
  }
}
