import { upper } from "../resp/command-frame.ts";
import { isError } from "../resp/reply-type.ts";
import type { Command } from "../upstream/command.ts";
import type { Upstream } from "../upstream/upstream.ts";
import type { Client } from "./client.ts";
import type { DedicatedLink } from "./dedicated-link.ts";
import { tooManySubscriptionsReply } from "./error-replies.ts";
import { isPublished, Subscriptions, unconfirmed } from "./subscriptions.ts";
import { TrackingState } from "./tracking-state.ts";

/** These have an end, and are brought back on a new connection. */
const restorable: ReadonlySet<string> = new Set(["client|no-evict", "client|no-touch"]);

/** `+1700000000.123456 [0 127.0.0.1:4711] "get" "a"`: a line of MONITOR, and none of the replies that begin with a plus. */
function isMonitored(line: Buffer): boolean {
  return line[0] === 43 && /^\+\d+\.\d{6} \[\d+ [^\]]*\] "/.test(line.toString("latin1", 0, 200));
}

/** What goes on on a connection until its client ends it: subscriptions, tracking, MONITOR, and what the proxy doesn't know. */
export class LastingStates {
  readonly #session: Client;
  readonly #link: DedicatedLink;
  readonly #over: () => void;
  #subscriptions: Subscriptions | undefined;
  /** A state that never ends: until the client leaves. */
  #forSession = false;
  #monitoring = false;
  /** `CLIENT CACHING`, which is about the next command: until that one is answered. */
  #caching: Buffer | undefined;
  /** A transaction has begun behind it: then it is about all of that. */
  #cachingTransaction = false;
  readonly #tracking: TrackingState;
  /** What brings a state back on a new connection. */
  readonly #restore = new Map<string, Buffer>();

  /** @param over one of them has ended: the connection may be given back. */
  constructor(session: Client, link: DedicatedLink, over: () => void) {
    this.#session = session;
    this.#link = link;
    this.#over = over;
    this.#tracking = new TrackingState(session, link, () => this.subscribed);
  }

  get any(): boolean {
    return this.#forSession || this.subscribed;
  }

  get forSession(): boolean {
    return this.#forSession;
  }

  get subscribed(): boolean {
    return (this.#subscriptions?.count ?? 0) > 0;
  }

  /** It goes on without any state: it can't be brought back, and ends with its connection. */
  get monitoring(): boolean {
    return this.#monitoring;
  }

  /** The next command is told apart from all others by what went before it. */
  get preparing(): boolean {
    return this.#caching !== undefined;
  }

  /** What `CLIENT ID` would answer, as far as anybody knows. */
  get clientId(): number | undefined {
    return this.#tracking.id;
  }

  /** The client is told something without asking: it needs its connection back at once. */
  get needsConnection(): boolean {
    return this.subscribed || this.#restore.size > 0 || this.#tracking.needsConnection;
  }

  /** From now on the connection stays with its client. */
  keepForSession(): void {
    this.#forSession = true;
  }

  forget(): void {
    this.#subscriptions?.end();
    this.#subscriptions = undefined;
    this.#forSession = this.#monitoring = false;
    this.#caching = undefined;
    this.#restore.clear();
    this.#tracking.forget();
  }

  /** The connection is lost. */
  lost(): void {
    this.#tracking.lost();
  }

  /** Brings everything back on a new connection, without the client's notice. @param inTransaction between MULTI and EXEC. */
  restoreOn(upstream: Upstream, inTransaction: boolean): void {
    for (const frame of this.#restore.values()) this.#link.sendOwn(frame);
    // In RESP2 a client that listens to channels can't ask.
    this.#tracking.askId();
    if (this.subscribed) this.#subscribeAgain(upstream);
    if (this.#cachingTransaction && !inTransaction) this.#forgetCaching();
    this.#tracking.restore(() => {
      // It is about the next command: nothing may come between.
      if (this.#caching !== undefined) this.#link.sendOwn(this.#caching);
    });
  }

  #subscribeAgain(upstream: Upstream): void {
    const session = this.#session;
    upstream.replies.tellApart((frame) => isPublished(frame, session.identity.protocol));
    session.host.metrics.subscriptionGaps.inc();
    for (const { frame, confirmations } of this.#subscriptions?.restore() ?? []) {
      // Redis ends the connection of a client that may not listen any more: so does the proxy.
      this.#link.sendOwn(frame, confirmations, (reply) => {
        if (isError(reply) && session.host.link.rejects(reply) === undefined) session.destroy();
      });
    }
  }

  subscribe(command: Command, upstream: Upstream): boolean {
    const session = this.#session;
    this.#subscriptions ??= new Subscriptions(session.host.subscriptions);
    if (this.#subscriptions.exceededBy(command)) {
      if (session.ledger.outstanding > 0) return false;
      session.answer(tooManySubscriptionsReply);
      this.#over();
      return true;
    }
    upstream.replies.tellApart((frame) => isPublished(frame, session.identity.protocol));
    const change = this.#subscriptions.apply(command);
    let left = change.confirmations;
    this.#link.send(command, left, {
      reply: (bytes) => {
        left--;
        if (isError(bytes)) {
          change.undo();
          left = 0;
        }
        // Redis tells it even a client that wants no replies.
        if (isError(bytes)) this.#session.ledger.give(bytes);
        else this.#session.ledger.tell(bytes);
        if (left === 0 && session.identity.protocol === 2) this.#over();
      },
      lost: () => session.ledger.giveBack({ kind: "command", command: unconfirmed(command, left) }),
    });
    return true;
  }

  /** Takes a command that leaves a state which the proxy doesn't know the end of; what it leaves is known when the server has agreed. */
  keep(command: Command, upstream: Upstream): boolean {
    if (command.rule.name === "monitor") {
      this.#forSession = true;
      return this.#monitor(command, upstream);
    }
    if (command.rule.name === "client|tracking") {
      this.#forSession = true;
      return this.#tracking.keep(command, this.#over);
    }
    // What Redis doesn't know, a module may; and it may do anything to its connection.
    if (command.rule.name === "unknown") this.#forSession = true;
    this.#link.exchange(command, (reply) => {
      if (!isError(reply)) this.#agreed(command, reply);
      this.#over();
    });
    return true;
  }

  #agreed(command: Command, reply: Buffer): void {
    const { name } = command.rule;
    this.#forSession = true;
    if (name === "client|caching") {
      this.#caching = command.frame;
      this.#cachingTransaction = false;
    }
    if (restorable.has(name)) {
      if (upper(command.arg(2)) === "OFF") this.#restore.delete(name);
      else this.#restore.set(name, command.frame);
    }
    const id = name === "client|id" || name === "client|info" ? idIn(reply) : undefined;
    if (id !== undefined) this.#tracking.learnId(id);
  }

  /** Takes note of a command that follows `CLIENT CACHING`. @param inTransaction before it. */
  follows({ rule: { route } }: Command, inTransaction: boolean): void {
    if (this.#cachingTransaction && !inTransaction) this.#forgetCaching();
    else if (route === "multi") this.#cachingTransaction = true;
  }

  #forgetCaching(): void {
    this.#caching = undefined;
    this.#cachingTransaction = false;
  }

  /** A command that `CLIENT CACHING` was about is on its way: with its answer that is over. */
  answersCaching(): () => void {
    const caching = this.#caching;
    return () => {
      if (this.#caching === caching) this.#caching = undefined;
    };
  }

  #monitor(command: Command, upstream: Upstream): boolean {
    if (this.#session.ledger.outstanding > 0) return false;
    this.#link.send(command, 1, {
      reply: (bytes) => {
        this.#session.output.add(bytes);
        if (isError(bytes)) return;
        upstream.replies.tellApart(isMonitored);
        this.#monitoring = true;
      },
      lost: (sent, term) => this.#session.ledger.lostCommand(command, sent, term),
    });
    return true;
  }
}

/** What CLIENT ID or CLIENT INFO have told. */
function idIn(reply: Buffer): number | undefined {
  const [, id] = /^(?::|(?:\$|=)\d+\r\n(?:txt:)?id=)(\d+)/.exec(reply.toString("latin1", 0, 64)) ?? [];
  return id === undefined ? undefined : Number(id);
}
