import type { Route } from "../commands/command-rule.ts";
import { encodeError } from "../resp/encode-reply.ts";
import type { Command } from "../upstream/command.ts";
import type { Upstream } from "../upstream/upstream.ts";
import { askServer } from "./ask-server.ts";
import { BlockedCommand } from "./blocked-command.ts";
import type { Client } from "./client.ts";
import { DedicatedLink, type LinkOwner } from "./dedicated-link.ts";
import { tooManyDedicatedReply } from "./error-replies.ts";
import { LastingStates } from "./lasting-states.ts";
import { prepared } from "./prepare.ts";
import { TransactionFlow } from "./transaction-flow.ts";
import { WaitCommand } from "./wait-command.ts";

/** Nobody listens: it only moves the replication offset of its connection to now, which is what WAIT asks about. */
const offsetMark = ["PUBLISH", "__ha:wait", ""];

/** What a Redis does while a script keeps it busy, for its client alone. */
const doneWhenBusy: ReadonlySet<string> = new Set(["script|kill", "function|kill", "function|stats"]);

/** They end what isn't there: the server says so on any connection. */
const endsNothing: ReadonlySet<Route> = new Set(["exec", "discard", "unwatch"]);

/** The connection of one client alone, for as long as it has a state that others must not see. */
export class PinnedConnection implements LinkOwner {
  readonly #session: Client;
  readonly #link: DedicatedLink;
  readonly #transaction: TransactionFlow;
  readonly #blocked: BlockedCommand;
  readonly #lasting: LastingStates;
  readonly #wait: WaitCommand;

  constructor(session: Client) {
    this.#session = session;
    const link = new DedicatedLink(session, this);
    const over = (): void => this.answered();
    this.#link = link;
    this.#transaction = new TransactionFlow(session, link, over);
    this.#blocked = new BlockedCommand(session, link, over);
    this.#lasting = new LastingStates(session, link, over);
    this.#wait = new WaitCommand(session, link);
  }

  /** The client's commands go over its own connection. */
  get active(): boolean {
    return this.#link.upstream !== undefined || this.#stateful;
  }

  /** Between MULTI and EXEC. */
  get inTransaction(): boolean {
    return this.#transaction.open;
  }

  /** Its client listens to channels. */
  get subscribed(): boolean {
    return this.#lasting.subscribed;
  }

  /** What `CLIENT ID` would answer, as far as anybody knows. */
  get clientId(): number | undefined {
    return this.#lasting.clientId;
  }

  /** A command of its client blocks. */
  get blocking(): boolean {
    return this.#blocked.active;
  }

  /** What is in flight is answered when somebody else does something, or never. */
  get waitsForOthers(): boolean {
    return this.#blocked.active || this.#wait.active;
  }

  /** Why it is needed. */
  get #stateful(): boolean {
    return this.#transaction.stateful || this.#lasting.any;
  }

  /** Its connection, when commands may go over it without a look at each. */
  get plainUpstream(): Upstream | undefined {
    const { upstream } = this.#link;
    const lasting = this.#lasting;
    const special =
      this.inTransaction ||
      this.#blocked.active ||
      lasting.monitoring ||
      lasting.subscribed ||
      lasting.preparing;
    if (special || !this.#session.following) return undefined;
    return upstream?.ready === true && this.#stateful ? upstream : undefined;
  }

  /** Brings back, on a new connection, what the client is told of without asking. False while that goes on. */
  restored(): boolean {
    if (this.#link.upstream !== undefined || !this.#lasting.needsConnection) return true;
    if (this.#session.ledger.outstanding > 0) return true;
    const { link } = this.#session.host;
    if (link.state === "circuitOpen") {
      this.#session.waitForMaster();
      return true;
    }
    // What the client asks for meanwhile is answered all the same.
    if (!this.#session.idle && this.#session.connecting.refusal() !== undefined) return true;
    this.#link.acquire();
    return false;
  }

  /** Takes one command; false when it has to wait. */
  take(command: Command): boolean {
    const session = this.#session;
    const { route } = command.rule;
    if (!this.active && endsNothing.has(route)) {
      if (session.ledger.outstanding > 0) return false;
      return askServer(session, { ask: command, agreed: (reply) => session.answer(reply) });
    }
    if (this.#transaction.answerAlone(command)) return true;
    if (!session.following) {
      session.waitForMaster();
      if (route === "blocking" && !this.inTransaction) this.#blocked.limitWaiting(command);
      return false;
    }
    this.#blocked.stopWaiting();
    const { upstream } = this.#link;
    if (upstream === undefined) {
      if (session.ledger.outstanding > 0) return false;
      if (route === "wait" && this.#wait.lost) return this.#wait.answerLost();
      const evenBusy = !this.active && doneWhenBusy.has(command.rule.name);
      const { busy } = session.group();
      if (busy !== undefined && !this.active && !evenBusy) return this.#answer(encodeError(busy));
      // What it has already is brought back, whatever others have taken meanwhile.
      if (!this.active && session.host.link.full && !session.group().idle)
        return this.#answer(tooManyDedicatedReply);
      const refusal = session.group().idle ? undefined : session.connecting.refusal();
      if (refusal !== undefined) {
        this.abandon();
        session.refuse(refusal);
        return true;
      }
      session.host.metrics.dedicated.inc({ route });
      this.#link.acquire(route === "wait" ? offsetMark : undefined, evenBusy);
      return false;
    }
    if (this.#link.unproven && !doneWhenBusy.has(command.rule.name)) return false;
    const { unbuilt } = this.#transaction;
    if (command.rule.ofProcess !== undefined || unbuilt.length > 0) {
      if (!prepared(session, upstream, [...unbuilt, command])) return false;
    }
    if (this.#lasting.preparing) this.#lasting.follows(command, this.inTransaction);
    if (this.inTransaction) return this.#transaction.take(command);
    switch (route) {
      case "multi":
        return this.#transaction.begin(command);
      case "watch":
        return this.#transaction.watch(command);
      case "unwatch":
        return this.#transaction.unwatch(command);
      case "blocking":
        return this.#blocked.send(command);
      case "subscribe":
      case "unsubscribe":
        return this.#lasting.subscribe(command, upstream);
      case "wait":
        if (this.#wait.lost) return this.#wait.answerLost();
        this.#lasting.keepForSession();
        this.#wait.send(command);
        return true;
      case "session":
        return this.#lasting.keep(command, upstream);
      default:
        if (this.#lasting.preparing) this.#link.exchange(command, this.#lasting.answersCaching());
        else this.#link.exchange(command);
        return true;
    }
  }

  /** A command was refused by the proxy: if it belongs to a transaction, that one can't be executed. */
  refuseInTransaction(): void {
    this.#transaction.refused();
  }

  /** Brings a change of user, database or protocol to its connection, which then is like no other. */
  adopt(command: readonly string[]): void {
    this.#link.adopt(command);
  }

  /** Gives up what can't be restored: the client was told that there is no master. */
  abandon(): void {
    this.#transaction.abandon();
  }

  /** Forgets every state and ends the connection (RESET, or the client has left). */
  destroy(): void {
    this.#blocked.stopWaiting();
    this.abandon();
    this.#lasting.forget();
    this.#blocked.reset();
    this.#link.destroy();
  }

  // LinkOwner

  get queues(): boolean {
    return this.inTransaction;
  }

  opened(upstream: Upstream): void {
    this.#lasting.restoreOn(upstream, this.inTransaction);
  }

  closed(): void {
    this.#blocked.reset();
    this.#wait.lose();
    this.#transaction.lost();
    this.#lasting.lost();
    // What goes on without any state ends with its connection.
    if (this.#lasting.monitoring) this.#session.destroy();
    else queueMicrotask(() => this.#session.wake());
  }

  refused(): void {
    // It waits to be told something, and never will be: Redis, too, ends the connections of a user that it deletes.
    if (this.#lasting.needsConnection) this.#session.destroy();
  }

  answered(): void {
    if (this.#stateful || this.#blocked.active || this.#session.ledger.outstanding > 0) return;
    if (this.#link.upstream !== undefined) this.#wait.release();
    this.#link.release();
  }

  #answer(bytes: Buffer): boolean {
    if (this.#session.ledger.outstanding > 0) return false;
    this.#session.answer(bytes);
    return true;
  }
}
