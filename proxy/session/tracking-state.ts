import { decodeCommand, encodeCommand } from "../resp/command-frame.ts";
import { isError } from "../resp/reply-type.ts";
import type { Command } from "../upstream/command.ts";
import type { Client } from "./client.ts";
import type { DedicatedLink } from "./dedicated-link.ts";
import { tooManySubscriptionsReply } from "./error-replies.ts";
import { type RedirectFollower, RedirectTarget } from "./redirect-targets.ts";
import { redirectedTo, Tracking, trackingRequest } from "./tracking.ts";

/** What says that all that is cached may be wrong, to a client that gets invalidations as pushes, or as messages. */
const invalidateAll = {
  3: Buffer.from(">2\r\n$10\r\ninvalidate\r\n_\r\n"),
  2: Buffer.from("*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n$-1\r\n"),
} as const;

/** So long it is waited for a target to have a connection again, ms. */
const targetWithinMs = 2000;

/**
 * `CLIENT TRACKING` of one client, and whose invalidations it gets as the target of others. Whatever happens to one of their connections:
 * what may have changed meanwhile is told, or the client learns that nothing is told any more. It never keeps stale values for ever.
 */
export class TrackingState implements RedirectFollower {
  readonly #session: Client;
  readonly #link: DedicatedLink;
  /** Whether the client listens to channels. */
  readonly #subscribed: () => boolean;
  #tracking: Tracking | undefined;
  /** What {@link Tracking.bytes} was when it was taken note of. */
  #bytes = 0;
  #followed: RedirectTarget | undefined;
  /** Has to get a connection, to be named to the server, which hasn't agreed to it yet. */
  #sought: RedirectTarget | undefined;
  /** This client, when it knows its id. */
  #target: RedirectTarget | undefined;
  /** Goes on when the target has a connection; undefined: nothing waits. */
  #awaited: { readonly timer: NodeJS.Timeout; readonly goOn: () => void } | undefined;
  #soughtSince: number | undefined;

  constructor(session: Client, link: DedicatedLink, subscribed: () => boolean) {
    this.#session = session;
    this.#link = link;
    this.#subscribed = subscribed;
  }

  /** The client, or another one, is told something without asking. */
  get needsConnection(): boolean {
    return this.#tracking !== undefined || (this.#target?.followers.size ?? 0) > 0;
  }

  /** What `CLIENT ID` would answer, once it was asked and as long as the connection is there. */
  get id(): number | undefined {
    return this.#target?.id;
  }

  /** The server has told the client its id. */
  learnId(id: number): void {
    const session = this.#session;
    this.#target ??= new RedirectTarget({
      tellAll: () => this.#tellAll(),
      revive: () => session.wake(),
    });
    session.host.redirects.named(this.#target, id);
  }

  /** Takes `CLIENT TRACKING`; false when it has to wait. @param over it is answered. */
  keep(command: Command, over: () => void): boolean {
    const session = this.#session;
    const { redirects, subscriptions } = session.host;
    const { frame } = command;
    const { bytes, redirect } = trackingRequest(frame);
    if (bytes > 0 && subscriptions.total + bytes > subscriptions.limit) {
      if (session.ledger.outstanding > 0) return false;
      session.answer(tooManySubscriptionsReply);
      over();
      return true;
    }
    const target = redirect === undefined ? undefined : redirects.find(redirect);
    if (target !== undefined && target.id === undefined && this.#seeks(target)) return false;
    this.#soughtSince = undefined;
    const id = target?.id;
    const sent = id === undefined || id === redirect ? frame : redirectedTo(frame, id);
    this.#link.exchange(sent === frame ? command : command.withArgs(decodeCommand(sent)), (reply) => {
      if (!isError(reply)) {
        this.#set(Tracking.after(this.#tracking, frame, redirects));
        // It may have got another one meanwhile.
        if (target !== undefined && target.id !== id) this.targetChanged(target);
      }
      this.#found();
      over();
    });
    return true;
  }

  /** Learns what a new connection's id is, when others may mean this client with one. */
  askId(): void {
    const target = this.#target;
    if (target === undefined) return;
    this.#link.sendOwn(encodeCommand(["CLIENT", "ID"]), 1, (reply) => {
      const id = Number(reply.toString("latin1", 1).trim());
      if (!isError(reply) && !target.ended) this.#session.host.redirects.named(target, id);
    });
  }

  /** Brings it to a new connection. @param done everything is there. */
  restore(done: () => void): void {
    const session = this.#session;
    if (this.#tracking?.redirect === undefined) {
      if (this.#tracking !== undefined) {
        for (const frame of this.#tracking.frames()) this.#link.sendOwn(frame);
        if (session.identity.protocol === 3) session.output.push(invalidateAll[3]);
      }
      done();
      return;
    }
    const { target } = this.#tracking.redirect;
    if (target !== undefined && !target.ended && target.id === undefined) {
      this.#await(target, done);
      return;
    }
    this.#redirect();
    done();
  }

  targetChanged(target: RedirectTarget): void {
    if (target !== this.#followed) return;
    if (this.#awaited !== undefined) this.#awaited.goOn();
    // That its target has left the server tells, or nobody, as without the proxy.
    else if (this.#link.upstream !== undefined && !target.ended) this.#redirect();
  }

  /** The connection is lost. */
  lost(): void {
    this.#found();
    if (this.#target !== undefined) this.#target.id = undefined;
  }

  forget(): void {
    clearTimeout(this.#awaited?.timer);
    this.#awaited = undefined;
    this.#set(undefined);
    this.#found();
    if (this.#target !== undefined) this.#session.host.redirects.forget(this.#target);
    this.#target = undefined;
  }

  #set(tracking: Tracking | undefined): void {
    const { subscriptions } = this.#session.host;
    this.#follow(undefined);
    subscriptions.total += (tracking?.bytes ?? 0) - this.#bytes;
    this.#bytes = tracking?.bytes ?? 0;
    this.#tracking = tracking;
    this.#follow(tracking?.redirect?.target);
  }

  #follow(target: RedirectTarget | undefined): void {
    this.#followed?.followers.delete(this);
    this.#followed = target;
    target?.followers.add(this);
  }

  /** Whether it is worth waiting for a target's connection. */
  #seeks(target: RedirectTarget): boolean {
    this.#soughtSince ??= performance.now();
    if (performance.now() - this.#soughtSince > targetWithinMs) return false;
    this.#sought = target;
    target.followers.add(this);
    target.revive();
    this.#session.connecting.tryLater();
    return true;
  }

  /** Nobody is sought any more. It is followed on if the server has agreed to it. */
  #found(): void {
    const sought = this.#sought;
    this.#sought = undefined;
    if (sought !== this.#followed) sought?.followers.delete(this);
  }

  /** The client's commands wait: what they read would not be tracked. */
  #await(target: RedirectTarget, done: () => void): void {
    const session = this.#session;
    const { upstream } = this.#link;
    session.occupy();
    const goOn = (): void => {
      clearTimeout(this.#awaited?.timer);
      this.#awaited = undefined;
      session.free();
      if (session.ended) return;
      if (this.#link.upstream === upstream) {
        this.#redirect();
        done();
      }
      session.wake();
    };
    this.#awaited = { timer: setTimeout(goOn, targetWithinMs), goOn };
    target.revive();
  }

  /** Has invalidations sent to the target under its present id. */
  #redirect(): void {
    const tracking = this.#tracking;
    const target = tracking?.redirect?.target;
    if (tracking === undefined) return;
    const id = target?.id;
    if (target === undefined || target.ended || id === undefined) {
      this.#broken();
      return;
    }
    for (const frame of tracking.frames(id)) {
      this.#link.sendOwn(frame, 1, (reply) => {
        if (!isError(reply) || this.#session.host.link.rejects(reply) !== undefined) return;
        if (this.#tracking === tracking && target.id === id) this.#broken();
      });
    }
    target.tellAll();
  }

  /** The target is nobody that this proxy knows, or has left: the client is told so where the protocol can. */
  #broken(): void {
    const session = this.#session;
    const told = this.#tracking?.redirect?.told ?? 0;
    this.#set(undefined);
    if (session.identity.protocol !== 3) {
      session.destroy();
      return;
    }
    session.output.push(Buffer.from(`>2\r\n$21\r\ntracking-redir-broken\r\n:${told}\r\n`));
    session.output.flush();
  }

  #tellAll(): void {
    const session = this.#session;
    // Redis, too, tells a client of the old protocol only when it listens to channels.
    if (session.ended || (session.identity.protocol === 2 && !this.#subscribed())) return;
    if (this.#link.upstream?.replies.inPart === true) session.destroy();
    else {
      session.output.push(invalidateAll[session.identity.protocol]);
      session.output.flush();
    }
  }
}
