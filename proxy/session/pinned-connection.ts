import { decodeCommand, upper } from "../resp/command-frame.ts";
import { encodeError, encodeReply, status } from "../resp/encode-reply.ts";
import { isRejection, isUnblocked } from "../upstream/rejection.ts";
import { type Command, type ReplyHandler, Run } from "../upstream/run.ts";
import type { Upstream } from "../upstream/upstream.ts";
import { readsFromNow, timeLimitMs, timeoutReply, withRemainingTime } from "./blocking.ts";
import {
  execNil,
  tooBigTransactionReply,
  tooManySubscriptionsReply,
  uncertainReply,
  waitLostReply,
} from "./error-replies.ts";
import type { Session } from "./session.ts";
import { isPublished, Subscriptions, unconfirmed } from "./subscriptions.ts";
import { Transaction } from "./transaction.ts";

const ok = encodeReply(status("OK"), 2);
const queued = encodeReply(status("QUEUED"), 2);
/** Nobody listens: it only moves the replication offset of its connection to now, which is what WAIT asks about. */
const offsetMark = ["PUBLISH", "__ha:wait", ""];
/** Tells a client with tracking that all it has cached may be wrong. */
const invalidateAll = Buffer.from(">2\r\n$10\r\ninvalidate\r\n_\r\n");

/** The connection of one client alone, for as long as it has a state that others must not see. */
export class PinnedConnection {
  transaction: Transaction | undefined;
  readonly #session: Session;
  #upstream: Upstream | undefined;
  #watching = false;
  /** The connection that watched was lost: whether a key has changed nobody knows. */
  #watchLost = false;
  #subscriptions: Subscriptions | undefined;
  /** A state that never ends: until the client leaves. */
  #forSession = false;
  /** What brings that state back on a new connection. */
  readonly #restore = new Map<string, Buffer>();
  #blocking = false;
  #dirty = false;
  /** It has refused a command: it ends as soon as it has answered the others. */
  #condemned = false;
  #waitingEnds: NodeJS.Timeout | undefined;
  #monitoring = false;
  /** A connection was lost since the client last heard from WAIT. */
  #lostSinceWait = false;

  constructor(session: Session) {
    this.#session = session;
  }

  /** The client's commands go over its own connection. */
  get active(): boolean {
    return this.#upstream !== undefined || this.#stateful;
  }

  /** A command of its client blocks, or is about to. */
  get blocking(): boolean {
    return this.#blocking;
  }

  /** Why it is needed. */
  get #stateful(): boolean {
    return (
      this.transaction !== undefined ||
      this.#watching ||
      this.#forSession ||
      (this.#subscriptions?.count ?? 0) > 0
    );
  }

  /** Its connection, when commands may go over it without a look at each. */
  get plainUpstream(): Upstream | undefined {
    const plain =
      this.transaction === undefined &&
      !this.#blocking &&
      !this.#monitoring &&
      (this.#subscriptions?.count ?? 0) === 0;
    if (!plain || this.#session.host.link.state !== "following") return undefined;
    return this.#upstream?.ready === true && this.#stateful ? this.#upstream : undefined;
  }

  /** Brings back, on a new connection, what the client is told of without asking. False while that goes on. */
  restored(): boolean {
    if (this.#upstream !== undefined) return true;
    if ((this.#subscriptions?.count ?? 0) === 0 && this.#restore.size === 0) return true;
    if (this.#session.outstanding > 0) return true;
    const { link } = this.#session.host;
    if (link.state === "circuitOpen") {
      link.wait(this.#session);
      return true;
    }
    this.#acquire();
    return false;
  }

  /** Takes one command; false when it has to wait. */
  take(command: Command): boolean {
    const session = this.#session;
    const { route } = command.rule;
    if (!this.active && this.#answerWithoutState(command)) return true;
    if (this.transaction !== undefined && this.#answerInTransaction(command)) return true;
    if (session.host.link.state !== "following") {
      session.host.link.wait(session);
      if (route === "blocking" && this.transaction === undefined) this.#limitWaiting(command);
      return false;
    }
    clearTimeout(this.#waitingEnds);
    this.#waitingEnds = undefined;
    if (this.#upstream === undefined) {
      if (session.outstanding > 0) return false;
      if (route === "wait" && this.#writesAreLost()) return this.#answer(waitLostReply);
      this.#acquire(route === "wait");
      return false;
    }
    if (this.transaction !== undefined) return this.#inTransaction(this.transaction, command);
    switch (route) {
      case "multi":
        return this.#begin(command);
      case "watch":
        this.#watching = true;
        this.#exchange(command);
        return true;
      case "unwatch":
        this.#watching = this.#watchLost = false;
        this.#exchange(command);
        return true;
      case "blocking":
        return this.#block(command);
      case "subscribe":
      case "unsubscribe":
        return this.#subscribe(command);
      case "wait":
        if (this.#lostSinceWait && session.outstanding === 0) {
          this.#lostSinceWait = false;
          return this.#answer(waitLostReply);
        }
        this.#forSession = true;
        this.#exchange(command, { retry: false });
        return true;
      case "session":
        return this.#keep(command);
      default:
        this.#exchange(command);
        return true;
    }
  }

  /** A command was refused by the proxy: if it belongs to a transaction, that one can't be executed. */
  refuseInTransaction(): void {
    if (this.transaction !== undefined) this.transaction.refused = true;
  }

  /** Brings a change of user, database or protocol to its connection, which then is like no other. */
  adopt(command: readonly string[]): void {
    if (this.#upstream === undefined) return;
    this.#dirty = true;
    this.#upstream.ask(command, swallow);
  }

  /** Gives up what can't be restored: the client was told that there is no master. */
  abandon(): void {
    this.#endTransaction();
    this.#watching = this.#watchLost = false;
  }

  /** Forgets every state and ends the connection (RESET, or the client has left). */
  destroy(): void {
    clearTimeout(this.#waitingEnds);
    this.abandon();
    this.#subscriptions = undefined;
    this.#forSession = this.#monitoring = this.#blocking = false;
    this.#restore.clear();
    const upstream = this.#upstream;
    this.#upstream = undefined;
    if (upstream !== undefined) {
      upstream.onClosed = undefined;
      upstream.destroy("its client has left");
    }
  }

  /** A blocking command has a time of its own, master or not: its client doesn't wait longer. */
  #limitWaiting(command: Command): void {
    const limitMs = timeLimitMs(command);
    if (limitMs === undefined || this.#waitingEnds !== undefined) return;
    const session = this.#session;
    this.#waitingEnds = setTimeout(() => {
      this.#waitingEnds = undefined;
      session.expire(command, timeoutReply(command, session.protocol));
    }, limitMs);
  }

  #answer(bytes: Buffer): boolean {
    if (this.#session.outstanding > 0) return false;
    this.#session.answer(bytes);
    return true;
  }

  /** What needs no connection because there is no state that it could end. */
  #answerWithoutState(command: Command): boolean {
    const { protocol } = this.#session;
    switch (command.rule.route) {
      case "exec":
        return this.#answer(encodeError("ERR EXEC without MULTI"));
      case "discard":
        return this.#answer(encodeError("ERR DISCARD without MULTI"));
      case "unwatch":
        return this.#answer(ok);
      case "unsubscribe": {
        const [name, ...channels] = decodeCommand(Buffer.concat(command.pieces));
        const kind = name?.toString("latin1").toLowerCase() ?? "";
        const each = channels.length === 0 ? [null] : channels;
        return this.#answer(
          Buffer.concat(
            each.map((channel) => encodeReply({ kind: "push", items: [kind, channel, 0] }, protocol)),
          ),
        );
      }
      default:
        return false;
    }
  }

  /** EXEC and DISCARD of a transaction whose connection was lost, where no new one is needed. */
  #answerInTransaction({ rule }: Command): boolean {
    const session = this.#session;
    if (session.outstanding > 0) return false;
    if (rule.route === "discard" && this.#upstream === undefined) session.answer(ok);
    else if (rule.route === "exec" && this.#watchLost) {
      session.answer(execNil[session.protocol]);
      session.host.metrics.watchesLost.inc();
      this.#dirty = this.#upstream !== undefined;
    } else return false;
    this.abandon();
    this.#releaseIfClean();
    return true;
  }

  #writesAreLost(): boolean {
    const last = this.#session.lastShared;
    return this.#lostSinceWait || (last !== undefined && !last.ready);
  }

  /** Gets a connection; the session goes on when it is there. */
  #acquire(markOffset = false): void {
    const session = this.#session;
    if (session.host.link.state !== "following") {
      session.host.link.wait(session);
      return;
    }
    session.busy = true;
    session.group().dedicated((upstream) => {
      session.busy = false;
      if (session.ended) {
        upstream?.destroy();
        return;
      }
      if (upstream === undefined) {
        if (session.group().denied === undefined) setTimeout(() => session.wake(), retryMs);
        else session.wake();
        return;
      }
      this.#use(upstream);
      if (markOffset) upstream.ask(offsetMark, swallow);
      session.wake();
    });
  }

  #use(upstream: Upstream): void {
    const session = this.#session;
    this.#upstream = upstream;
    this.#dirty = this.#condemned = false;
    if (session.name !== "") this.adopt(["CLIENT", "SETNAME", session.name]);
    upstream.owner = session;
    upstream.onMessage = (frame) => session.output.add(frame);
    upstream.onClosed = () => this.#closed();
    for (const frame of this.#restore.values()) {
      upstream.send(new Run(undefined, swallow, undefined, frame, 0, frame.length, 1));
    }
    if (this.#restore.has("client|tracking") && session.protocol === 3) session.output.add(invalidateAll);
    if ((this.#subscriptions?.count ?? 0) === 0) return;
    upstream.isMessage = (frame) => isPublished(frame, session.protocol);
    session.host.metrics.subscriptionGaps.inc();
    for (const { frame, confirmations } of this.#subscriptions?.restore() ?? []) {
      upstream.send(new Run(undefined, swallow, undefined, frame, 0, frame.length, confirmations));
    }
  }

  /** The connection is gone, and everything in flight on it was given back. */
  #closed(): void {
    this.#upstream = undefined;
    this.#blocking = false;
    this.#lostSinceWait = this.#forSession;
    if (this.#watching) this.#watchLost = true;
    if (this.transaction !== undefined) this.transaction.builtOn = undefined;
    // What goes on without any state ends with its connection.
    if (this.#monitoring) this.#session.destroy();
    else queueMicrotask(() => this.#session.wake());
  }

  #releaseIfClean(): void {
    const upstream = this.#upstream;
    if (upstream === undefined || this.#stateful || this.#blocking || this.#session.outstanding > 0) return;
    this.#upstream = undefined;
    upstream.onMessage = upstream.isMessage = upstream.onClosed = undefined;
    upstream.owner = undefined;
    if (this.#dirty) upstream.destroy("it has a state");
    else this.#session.group().release(upstream);
  }

  /** Sends a command whose loss and rejection are treated as on the shared connection. */
  #exchange(command: Command, { retry = true }: { readonly retry?: boolean } = {}): void {
    this.#send(command, 1, {
      reply: (bytes) => {
        if (retry && this.#rejected(bytes, command)) return;
        if (command.rule.effectFree && this.#session.givenBack) {
          this.#session.giveBack({ kind: "command", command });
        } else this.#give(bytes);
        this.#releaseIfClean();
      },
      lost: (sent) => {
        // WATCH ends with the EXEC that is in flight behind it.
        const over = command.rule.route === "watch" && this.transaction?.execSent === true;
        if (over && sent) this.#session.giveBack({ kind: "reply", bytes: ok });
        else if (retry || !sent) this.#session.lostCommand(command, sent);
        else this.#session.giveBack({ kind: "reply", bytes: waitLostReply });
      },
    });
  }

  /** Sends a command of the client; it is outstanding until all its replies are there or lost. */
  #send(command: Command, replies: number, handler: ReplyHandler): void {
    const session = this.#session;
    const last = command.pieces.at(-1);
    if (last === undefined || this.#upstream === undefined) return;
    session.outstanding += replies;
    let left = replies;
    const counting: ReplyHandler = {
      reply: (bytes) => {
        left--;
        session.outstanding--;
        handler.reply(bytes);
        if (this.#condemned && session.outstanding === 0) this.#upstream?.destroy("it refused a command");
      },
      lost: (sent) => {
        session.outstanding -= left;
        handler.lost(sent);
      },
    };
    const earlier = command.pieces.length > 1 ? command.pieces.slice(0, -1) : undefined;
    this.#upstream.send(new Run(session, counting, earlier, last, 0, last.length, replies));
  }

  /** Gives the client a reply, after those to commands that were put back. */
  #give(bytes: Buffer): void {
    if (this.#session.givenBack) this.#session.giveBack({ kind: "reply", bytes });
    else this.#session.output.add(bytes);
  }

  /** Puts a command back that a Redis has refused because it is no master; gives whether it has. */
  #rejected(bytes: Buffer, command: Command): boolean {
    const holding = this.#session.host.link.failingOver;
    if (bytes[0] !== 45 || !(isRejection(bytes, 0, holding) || isUnblocked(bytes))) return false;
    this.#session.giveBack({ kind: "command", command });
    this.#session.host.metrics.sentAgain.inc();
    this.#upstream?.reject(bytes);
    this.#condemned = true;
    return true;
  }

  #begin(command: Command): boolean {
    const transaction = new Transaction(this.#session.host.transactions);
    this.transaction = transaction;
    transaction.builtOn = this.#upstream;
    this.#sendInTransaction(transaction, command, ok);
    return true;
  }

  #inTransaction(transaction: Transaction, command: Command): boolean {
    const session = this.#session;
    const upstream = this.#upstream;
    if (upstream === undefined || transaction.execSent) return false;
    if (transaction.builtOn !== upstream) {
      if (session.outstanding > 0) return false;
      transaction.builtOn = upstream;
      transaction.rewound = false;
      for (const { pieces } of transaction.confirmed) {
        const frame = Buffer.concat(pieces);
        upstream.send(new Run(undefined, swallow, undefined, frame, 0, frame.length, 1));
      }
    }
    switch (command.rule.route) {
      case "exec":
        // Answered with nil as soon as nothing is outstanding.
        if (this.#watchLost) return false;
        if (transaction.refused) return this.#abort(upstream);
        transaction.execSent = true;
        this.#send(command, 1, this.#execHandler(transaction, command));
        return true;
      case "discard":
        this.#send(command, 1, {
          reply: (bytes) => {
            if (transaction.rewound) {
              this.#session.giveBack({ kind: "command", command });
              return;
            }
            this.#give(bytes);
            this.abandon();
            this.#releaseIfClean();
          },
          lost: () => this.#session.giveBack({ kind: "command", command }),
        });
        return true;
      case "subscribe":
      case "unsubscribe":
      case "session":
        if (command.rule.name !== "unknown") return this.#refuse(transaction, command);
        break;
      case "local":
        this.#dirty = true;
        if (command.rule.name === "auth" || command.rule.name === "hello") {
          return this.#refuse(transaction, command);
        }
        if (command.rule.name === "select") {
          transaction.db = Number(decodeCommand(Buffer.concat(command.pieces), 2)[1]?.toString());
        }
        break;
      default:
    }
    if (!transaction.reserve(command)) {
      if (!this.#answer(tooBigTransactionReply)) return false;
      transaction.refused = true;
      return true;
    }
    this.#sendInTransaction(transaction, command, queued);
    return true;
  }

  #endTransaction(): void {
    this.transaction?.end();
    this.transaction = undefined;
  }

  #refuse(transaction: Transaction, { rule }: Command): boolean {
    transaction.refused = true;
    return this.#answer(
      encodeError(`ERR ${rule.name.replace("|", " ")} isn't possible inside MULTI through the proxy`),
    );
  }

  #sendInTransaction(transaction: Transaction, command: Command, expected: Buffer): void {
    const session = this.#session;
    this.#send(command, 1, {
      reply: (bytes) => {
        if (this.#rejected(bytes, command)) {
          transaction.release(command);
          if (transaction.confirmed.length === 0) this.#endTransaction();
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
          transaction.refused = true;
        }
        this.#give(bytes);
      },
      lost: (sent) => {
        // EXEC is in flight behind it: nothing may be sent again.
        if (transaction.execSent && sent && !transaction.rewound)
          session.giveBack({ kind: "reply", bytes: expected });
        else {
          transaction.release(command);
          if (command.rule.route === "multi") this.#endTransaction();
          session.giveBack({ kind: "command", command });
        }
      },
    });
  }

  #execHandler(transaction: Transaction, command: Command): ReplyHandler {
    const session = this.#session;
    return {
      reply: (bytes) => {
        if (this.#rejected(bytes, command)) {
          transaction.execSent = false;
          transaction.builtOn = undefined;
          if (this.#watching) this.#watchLost = true;
          return;
        }
        if (transaction.rewound) {
          transaction.execSent = false;
          transaction.builtOn = undefined;
          session.giveBack({ kind: "command", command });
          return;
        }
        this.#give(bytes);
        if (transaction.db !== undefined && bytes[0] === 42) {
          session.db = transaction.db;
          session.changeGroup();
        }
        this.abandon();
        this.#releaseIfClean();
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
  #abort(upstream: Upstream): boolean {
    if (this.#session.outstanding > 0) return false;
    upstream.ask(["DISCARD"], swallow);
    this.abandon();
    this.#session.answer(encodeError("EXECABORT Transaction discarded because of previous errors."));
    this.#dirty = true;
    this.#releaseIfClean();
    return true;
  }

  #block(command: Command): boolean {
    // It would hold up what comes behind it, and what is before it comes first.
    if (this.#session.outstanding > 0) return false;
    const session = this.#session;
    const since = performance.now();
    this.#blocking = true;
    session.busy = true;
    const again = (): Command => withRemainingTime(command, performance.now() - since);
    const over = (): void => {
      this.#blocking = false;
      session.busy = false;
    };
    this.#send(command, 1, {
      reply: (bytes) => {
        over();
        if (this.#rejected(bytes, again())) return;
        session.output.add(bytes);
        this.#releaseIfClean();
      },
      lost: (sent) => {
        over();
        if (sent && readsFromNow(command)) {
          session.giveBack({ kind: "reply", bytes: execNil[session.protocol] });
        } else session.lostCommand(again(), sent);
      },
    });
    return true;
  }

  #subscribe(command: Command): boolean {
    const session = this.#session;
    const upstream = this.#upstream;
    if (upstream === undefined) return false;
    this.#subscriptions ??= new Subscriptions();
    if (this.#subscriptions.exceededBy(command)) {
      if (!this.#answer(tooManySubscriptionsReply)) return false;
      this.#releaseIfClean();
      return true;
    }
    upstream.isMessage = (frame) => isPublished(frame, session.protocol);
    let left = this.#subscriptions.apply(command);
    this.#send(command, left, {
      reply: (bytes) => {
        left--;
        this.#give(bytes);
        if (left === 0 && session.protocol === 2) this.#releaseIfClean();
      },
      lost: () => session.giveBack({ kind: "command", command: unconfirmed(command, left) }),
    });
    return true;
  }

  /** A command that leaves a state which the proxy doesn't know the end of. */
  #keep(command: Command): boolean {
    const upstream = this.#upstream;
    if (upstream === undefined) return false;
    this.#forSession = true;
    const { name } = command.rule;
    const frame = Buffer.concat(command.pieces);
    const option = upper(decodeCommand(frame, 3)[2]);
    if (name === "monitor") {
      if (this.#session.outstanding > 0) return false;
      this.#send(command, 1, {
        reply: (bytes) => {
          this.#session.output.add(bytes);
          upstream.isMessage = (line) => line[0] === 43;
          this.#monitoring = true;
        },
        lost: (sent) => this.#session.lostCommand(command, sent),
      });
      return true;
    }
    if (["client|tracking", "client|no-evict", "client|no-touch"].includes(name)) {
      if (option === "OFF") this.#restore.delete(name);
      else this.#restore.set(name, frame);
    }
    this.#exchange(command);
    return true;
  }
}

/** A connection could not be had: the link looks after the master meanwhile, ms. */
const retryMs = 25;

const swallow: ReplyHandler = { reply: () => undefined, lost: () => undefined };
