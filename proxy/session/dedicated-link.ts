import { isError } from "../resp/reply-type.ts";
import type { Command } from "../upstream/command.ts";
import { isUnblocked, type Rejection } from "../upstream/rejection.ts";
import { type ReplyHandler, Run } from "../upstream/run.ts";
import { inServersWords } from "../upstream/server-words.ts";
import type { Upstream } from "../upstream/upstream.ts";
import type { Client } from "./client.ts";
import { translate } from "./translate.ts";

/** What a {@link DedicatedLink} is told by whoever knows what it is needed for. */
export interface LinkOwner {
  /** A new connection is there: whatever state the client has must be brought back on it. */
  opened(upstream: Upstream): void;
  /** The connection is gone, and everything in flight on it was given back. */
  closed(): void;
  /** Commands that it sends now are only queued (MULTI). */
  readonly queues: boolean;
  /** The server doesn't accept the client's user any more. */
  refused(): void;
  /** A reply was given: the connection may not be needed any more. */
  answered(): void;
}

/** A connection to the master for one client alone. */
export class DedicatedLink {
  readonly #session: Client;
  readonly #owner: LinkOwner;
  #upstream: Upstream | undefined;
  /** It is good for nothing but what a busy Redis does. */
  #unproven = false;
  /** It has a state that ends only with it. */
  #dirty = false;
  /** It has refused a command: it ends as soon as it has answered the others. */
  #condemned = false;

  constructor(session: Client, owner: LinkOwner) {
    this.#session = session;
    this.#owner = owner;
  }

  get upstream(): Upstream | undefined {
    return this.#upstream;
  }

  /** Nothing may go over it but what a busy Redis does. */
  get unproven(): boolean {
    return this.#unproven && this.#upstream !== undefined;
  }

  /**
   * Gets a connection; the session goes on when it is there.
   *
   * @param first what is asked on it before anything else.
   * @param evenBusy it is for what a busy Redis does, too.
   */
  acquire(first?: readonly string[], evenBusy = false): void {
    const session = this.#session;
    if (!session.following) {
      session.waitForMaster();
      return;
    }
    session.occupy();
    session.group().dedicated((upstream) => {
      session.free();
      if (session.ended) {
        upstream?.destroy();
        return;
      }
      if (upstream === undefined) {
        if (session.group().denied === undefined) session.connecting.tryLater();
        else {
          this.#owner.refused();
          session.wake();
        }
        return;
      }
      this.#use(upstream);
      this.#unproven = upstream.options.evenBusy === true;
      // Others may not have it: its role was never proven.
      if (this.#unproven) this.#dirty = true;
      if (first !== undefined) upstream.ask(first, swallow);
      session.wake();
    }, evenBusy);
  }

  #use(upstream: Upstream): void {
    const session = this.#session;
    this.#upstream = upstream;
    this.#dirty = this.#condemned = false;
    session.connecting.over();
    if (session.identity.name !== "") this.adopt(["CLIENT", "SETNAME", session.identity.name]);
    upstream.replies.giveTo(session.ledger, (frame) => {
      // Lines of MONITOR are replies, and everything else is what a client without replies gets, too.
      if (frame[0] === 43) session.output.add(frame);
      else session.output.push(frame);
    });
    upstream.onceClosed(() => {
      this.#upstream = undefined;
      this.#owner.closed();
    });
    this.#owner.opened(upstream);
  }

  /** It has a state now that ends only with it: nobody else gets it. */
  spoil(): void {
    this.#dirty = true;
  }

  /** Brings a change of user, database or protocol to the connection, which then is like no other. */
  adopt(command: readonly string[]): void {
    if (this.#upstream === undefined) return;
    this.#dirty = true;
    this.#upstream.ask(command, swallow);
  }

  /** Sends something for the proxy's own purposes. */
  sendOwn(frame: Buffer, replies = 1, look: (reply: Buffer) => void = ignore): void {
    const handler: ReplyHandler = { reply: look, lost: ignore };
    this.#upstream?.send(Run.of(undefined, handler, { pieces: [frame] }, replies));
  }

  /**
   * Queues a client's command for the second time; nobody gets its reply.
   *
   * @param rejected the server doesn't take it either: a new master lacks its replicas for a moment. EXEC will execute nothing.
   */
  repeat(command: Command, rejected: () => void): void {
    const upstream = this.#upstream;
    if (upstream === undefined) return;
    const { host } = this.#session;
    const { pieces } = translate(command, upstream, host.redirects)?.wire ?? command;
    this.sendOwn(Buffer.concat(pieces), 1, (bytes) => {
      const rejection = host.link.rejects(bytes);
      if (rejection === undefined) return;
      upstream.reject(rejection);
      if (this.#upstream === upstream) this.#condemned = true;
      rejected();
    });
  }

  /** Sends a command for the proxy's own purposes. @param answered gets the server's reply; undefined: the connection was lost. */
  askFirst({ pieces }: Command, answered: (bytes: Buffer | undefined) => void): void {
    const handler: ReplyHandler = { reply: answered, lost: () => answered(undefined) };
    this.#upstream?.send(Run.of(undefined, handler, { pieces }, 1));
  }

  /** Gives the connection back to all, or ends it if it has a state. */
  release(): void {
    const upstream = this.#upstream;
    if (upstream === undefined) return;
    this.#upstream = undefined;
    upstream.replies.takeBack();
    upstream.onceClosed(undefined);
    if (this.#dirty) upstream.destroy("it has a state");
    else this.#session.group().release(upstream);
  }

  /** The client has left. */
  destroy(): void {
    const upstream = this.#upstream;
    this.#upstream = undefined;
    if (upstream === undefined) return;
    upstream.onceClosed(undefined);
    upstream.destroy("its client has left");
  }

  /**
   * Sends a command of the client; it is outstanding until all its replies, or an error instead, are there or lost.
   *
   * @param writes it may change data now.
   */
  send(command: Command, replies: number, handler: ReplyHandler, writes = command.rule.mayWrite): void {
    const session = this.#session;
    const upstream = this.#upstream;
    if (upstream === undefined) return;
    session.ledger.sent(replies);
    let left = replies;
    const translated = translate(command, upstream, session.host.redirects);
    // What is only queued is answered by EXEC.
    const translation = this.#owner.queues ? undefined : translated?.translation;
    const counting: ReplyHandler = {
      ...handler,
      reply: (bytes) => {
        const answered = isError(bytes) ? left : 1;
        left -= answered;
        session.ledger.answered(answered);
        handler.reply(translation?.answered(bytes) ?? bytes);
        if (this.#condemned && session.ledger.outstanding === 0)
          this.#upstream?.destroy("it refused a command");
      },
      lost: (sent, term) => {
        session.ledger.answered(left);
        if (sent) translation?.lost?.();
        handler.lost(sent, term);
      },
    };
    const { pieces } = translated?.wire ?? command;
    upstream.send(Run.of(session.ledger, counting, { pieces, attempts: command.attempts }, replies, writes));
  }

  /** Sends a command whose loss and rejection are treated as on the shared connection. */
  exchange(command: Command, look: (reply: Buffer) => void = ignore): void {
    this.send(command, 1, {
      reply: (bytes) => {
        if (this.#doubted(bytes, command) || this.rejected(bytes, command, bytes)) return;
        look(bytes);
        this.giveOrRepeat(bytes, command);
      },
      lost: (sent, term) => this.#session.ledger.lostCommand(command, sent, term),
    });
  }

  /** What a program answers may only look like a refusal: it is found out, and given then. Gives whether that has begun. */
  #doubted(bytes: Buffer, command: Command): boolean {
    const upstream = this.#upstream;
    if (!command.rule.choosesErrors || upstream === undefined || inServersWords(bytes) === undefined)
      return false;
    const session = this.#session;
    session.ledger.sent(1);
    const decide = session.ledger.doubtCommand(command, bytes);
    upstream.options.prove(bytes, (rejection) => {
      if (rejection !== undefined && !upstream.closed) {
        upstream.reject(rejection);
        if (this.#upstream === upstream) this.#condemned = true;
      }
      decide(rejection !== undefined);
      if (this.#upstream === upstream) this.#owner.answered();
    });
    return true;
  }

  /** Gives a reply; one without an effect is asked for again when earlier commands came back. */
  giveOrRepeat(bytes: Buffer, command: Command): void {
    const session = this.#session;
    if (command.rule.effectFree && session.ledger.givenBack)
      session.ledger.giveBack({ kind: "command", command });
    else session.ledger.give(bytes, true);
    this.#owner.answered();
  }

  /**
   * Puts a command back that a Redis has refused because it is no master; gives whether it has.
   *
   * @param refusal what the client is told if it can't be sent again.
   */
  rejected(bytes: Buffer, command: Command, refusal?: Buffer): boolean {
    const session = this.#session;
    const rejection = this.#rejectionOf(bytes, command);
    if (rejection === undefined) return false;
    const again = session.ledger.refused(command);
    session.ledger.giveBack({
      kind: "command",
      command: again,
      ...(refusal === undefined ? {} : { refusal }),
    });
    session.host.metrics.sentAgain.inc();
    this.#upstream?.reject(rejection);
    this.#condemned = true;
    return true;
  }

  #rejectionOf(bytes: Buffer, { rule }: Command): Rejection | undefined {
    if (rule.route === "blocking" && isUnblocked(bytes)) return "READONLY";
    // A command that is only queued is answered by Redis itself.
    if (rule.choosesErrors && !this.#owner.queues) return undefined;
    return this.#session.host.link.rejects(bytes);
  }
}

const ignore = (): void => undefined;
const swallow: ReplyHandler = { reply: ignore, lost: ignore };
