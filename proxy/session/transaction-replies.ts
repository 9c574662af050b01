import { encodeReply, status } from "../resp/encode-reply.ts";
import type { Command } from "../upstream/command.ts";
import type { ReplyHandler } from "../upstream/run.ts";
import type { Client } from "./client.ts";
import type { DedicatedLink } from "./dedicated-link.ts";
import { execNil, uncertainReply } from "./error-replies.ts";
import type { Transaction } from "./transaction.ts";
import { applyEffects } from "./transaction-effects.ts";
import {
  type Answer,
  type LossPlan,
  type Part,
  planLoss,
  planReply,
  type ReplyPlan,
} from "./transaction-plan.ts";
import { execLost, translateExec } from "./translate.ts";

/** What {@link TransactionReplies} tells. */
export interface TransactionOwner {
  /** This transaction is over; another one may have begun since. */
  ended(transaction: Transaction): void;
  /** EXEC or DISCARD was answered: nothing is left of it, nor of what was watched. */
  finished(): void;
  /** The same, and nobody knows what EXEC has done. */
  gaveUp(): void;
  /** Its connection may not be needed any more. */
  over(): void;
  /** EXEC has met a Redis that is no master: what was watched there is no use. */
  metNoMaster(): void;
  /** Whether a command was queued or executed nobody knows: the next transaction can't be executed. */
  doom(): void;
}

const ok = encodeReply(status("OK"), 2);
const queued = encodeReply(status("QUEUED"), 2);

/** Carries out what {@link planReply} and {@link planLoss} say about the commands of one transaction. */
export class TransactionReplies {
  readonly #session: Client;
  readonly #link: DedicatedLink;
  readonly #owner: TransactionOwner;

  constructor(session: Client, link: DedicatedLink, owner: TransactionOwner) {
    this.#session = session;
    this.#link = link;
    this.#owner = owner;
  }

  toMulti(transaction: Transaction, command: Command): ReplyHandler {
    return {
      reply: (bytes) => {
        const plan = this.#planReply("multi", transaction, command, bytes, bytes.equals(ok));
        if (plan !== "keep") this.#owner.ended(transaction);
        if (plan === "rewind") {
          transaction.rewind();
          return;
        }
        if (plan === "keep") transaction.confirm(command);
        else transaction.neverOpened();
        this.#session.ledger.give(bytes);
        this.#owner.over();
      },
      lost: (sent, term) => {
        if (this.#planLoss("multi", transaction, sent) === "settled") {
          this.#session.ledger.giveBack({ kind: "reply", bytes: ok });
          return;
        }
        this.#owner.ended(transaction);
        this.#session.ledger.lostCommand(command, false, term);
      },
    };
  }

  toQueued(transaction: Transaction, command: Command): ReplyHandler {
    const { ledger } = this.#session;
    return {
      reply: (bytes) => {
        const plan = this.#planReply("queued", transaction, command, bytes, bytes.equals(queued));
        if (plan === "keep") transaction.confirm(command);
        else transaction.release(command);
        if (plan === "doubt") transaction.doubt();
        if (plan === "rewind") transaction.rewind();
        else if (plan === "again") ledger.giveBack({ kind: "command", command });
        else if (plan !== "plain") this.#session.ledger.give(bytes);
        else if (!this.#link.rejected(bytes, command, bytes)) this.#link.giveOrRepeat(bytes, command);
      },
      lost: (sent, term) => {
        const plan = this.#planLoss("queued", transaction, sent);
        if (plan === "settled") {
          ledger.giveBack({ kind: "reply", bytes: queued });
          return;
        }
        transaction.release(command);
        if (plan === "lostBehindMulti" && !command.rule.effectFree) this.#owner.doom();
        ledger.lostCommand(command, plan !== "unsent", term);
      },
    };
  }

  toDiscard(transaction: Transaction, command: Command): ReplyHandler {
    const { ledger } = this.#session;
    return {
      reply: (bytes) => {
        const plan = this.#planReply("discard", transaction, command, bytes, bytes.equals(ok));
        if (plan === "again" || plan === "doubt") transaction.goOn();
        if (plan === "again") {
          ledger.giveBack({ kind: "command", command });
          return;
        }
        // Redis lets nobody execute a transaction in which it has refused a command.
        if (plan === "doubt") transaction.doubt();
        this.#session.ledger.give(bytes);
        if (plan === "plain") this.#owner.over();
        else if (plan === "over") this.#owner.finished();
      },
      lost: (_sent, term) => {
        transaction.goOn();
        ledger.lostCommand(command, false, term);
      },
    };
  }

  toExec(transaction: Transaction, command: Command): ReplyHandler {
    const session = this.#session;
    const { ledger, host } = session;
    return {
      // A watched key has changed.
      wroteNothing: (bytes) => bytes.equals(execNil[session.identity.protocol]),
      reply: (bytes) => {
        const plan = this.#planReply("exec", transaction, command, bytes, true);
        if (plan === "rewind" || plan === "again") {
          transaction.goOn();
          transaction.leaveConnection();
        }
        if (plan === "rewind") this.#owner.metNoMaster();
        else if (plan === "again") ledger.giveBack({ kind: "command", command });
        else if (plan === "plain") {
          this.#session.ledger.give(bytes, true);
          this.#owner.over();
        } else this.#executed(transaction, bytes);
      },
      lost: (sent, term) => {
        if (this.#planLoss("exec", transaction, sent) === "uncertain") {
          ledger.giveBack({ kind: "reply", bytes: uncertainReply });
          host.metrics.uncertain.inc();
          execLost(transaction.confirmed, host.link.scripts);
          this.#owner.gaveUp();
          return;
        }
        transaction.goOn();
        ledger.lostCommand(command, false, term);
      },
    };
  }

  #executed(transaction: Transaction, bytes: Buffer): void {
    const session = this.#session;
    const commands = transaction.confirmed.slice(1);
    const { upstream } = this.#link;
    this.#session.ledger.give(
      upstream === undefined ? bytes : translateExec(bytes, commands, upstream, session.host.redirects),
      true,
    );
    applyEffects(session, commands, bytes);
    this.#owner.finished();
  }

  #planReply(
    part: Part,
    { standing }: Transaction,
    command: Command,
    bytes: Buffer,
    agreed: boolean,
  ): ReplyPlan {
    let answer: Answer = agreed ? "agreed" : "refused";
    // Looking for a rejection puts the command back: only where the plan says what becomes of it.
    if (standing !== "neverOpened" && part !== "discard" && this.#link.rejected(bytes, command)) {
      answer = "rejected";
    }
    return planReply(part, standing, answer);
  }

  #planLoss(part: Part, { standing, opened, executing }: Transaction, sent: boolean): LossPlan {
    return planLoss(part, { standing, opened, executing, sent });
  }
}
