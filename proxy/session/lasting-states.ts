import { decodeCommand, upper } from "../resp/command-frame.ts";
import { isError } from "../resp/reply-type.ts";
import type { Command } from "../upstream/run.ts";
import type { Upstream } from "../upstream/upstream.ts";
import type { DedicatedLink } from "./dedicated-link.ts";
import { tooManySubscriptionsReply } from "./error-replies.ts";
import type { Session } from "./session.ts";
import { isPublished, Subscriptions, unconfirmed } from "./subscriptions.ts";

/** Tells a client with tracking that all it has cached may be wrong. */
const invalidateAll = Buffer.from(">2\r\n$10\r\ninvalidate\r\n_\r\n");

/** These have an end, and are brought back on a new connection. */
const restorable: ReadonlySet<string> = new Set(["client|tracking", "client|no-evict", "client|no-touch"]);

/** What goes on on a connection until its client ends it: subscriptions, tracking, MONITOR, and what the proxy doesn't know. */
export class LastingStates {
  readonly #session: Session;
  readonly #link: DedicatedLink;
  readonly #over: () => void;
  #subscriptions: Subscriptions | undefined;
  /** A state that never ends: until the client leaves. */
  #forSession = false;
  #monitoring = false;
  /** What brings a state back on a new connection. */
  readonly #restore = new Map<string, Buffer>();

  /** @param over one of them has ended: the connection may be given back. */
  constructor(session: Session, link: DedicatedLink, over: () => void) {
    this.#session = session;
    this.#link = link;
    this.#over = over;
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

  /** The client is told something without asking: it needs its connection back at once. */
  get needsConnection(): boolean {
    return this.subscribed || this.#restore.size > 0;
  }

  /** From now on the connection stays with its client. */
  keepForSession(): void {
    this.#forSession = true;
  }

  forget(): void {
    this.#subscriptions = undefined;
    this.#forSession = this.#monitoring = false;
    this.#restore.clear();
  }

  /** Brings everything back on a new connection, without the client's notice. */
  restoreOn(upstream: Upstream): void {
    const session = this.#session;
    for (const frame of this.#restore.values()) this.#link.sendOwn(frame);
    if (this.#restore.has("client|tracking") && session.protocol === 3) session.output.add(invalidateAll);
    if (!this.subscribed) return;
    upstream.replies.isMessage = (frame) => isPublished(frame, session.protocol);
    session.host.metrics.subscriptionGaps.inc();
    for (const { frame, confirmations } of this.#subscriptions?.restore() ?? []) {
      this.#link.sendOwn(frame, confirmations);
    }
  }

  subscribe(command: Command, upstream: Upstream): boolean {
    const session = this.#session;
    this.#subscriptions ??= new Subscriptions();
    if (this.#subscriptions.exceededBy(command)) {
      if (session.outstanding > 0) return false;
      session.answer(tooManySubscriptionsReply);
      this.#over();
      return true;
    }
    upstream.replies.isMessage = (frame) => isPublished(frame, session.protocol);
    const change = this.#subscriptions.apply(command);
    let left = change.confirmations;
    this.#link.send(command, left, {
      reply: (bytes) => {
        left--;
        if (isError(bytes)) {
          change.undo();
          left = 0;
        }
        this.#link.give(bytes);
        if (left === 0 && session.protocol === 2) this.#over();
      },
      lost: () => session.giveBack({ kind: "command", command: unconfirmed(command, left) }),
    });
    return true;
  }

  /** Takes a command that leaves a state which the proxy doesn't know the end of. */
  keep(command: Command, upstream: Upstream): boolean {
    this.#forSession = true;
    const { name } = command.rule;
    if (name === "monitor") return this.#monitor(command, upstream);
    if (restorable.has(name)) {
      const frame = Buffer.concat(command.pieces);
      if (upper(decodeCommand(frame, 3)[2]) === "OFF") this.#restore.delete(name);
      else this.#restore.set(name, frame);
    }
    this.#link.exchange(command);
    return true;
  }

  #monitor(command: Command, upstream: Upstream): boolean {
    if (this.#session.outstanding > 0) return false;
    this.#link.send(command, 1, {
      reply: (bytes) => {
        this.#session.output.add(bytes);
        if (isError(bytes)) return;
        upstream.replies.isMessage = (line) => line[0] === 43;
        this.#monitoring = true;
      },
      lost: (sent, term) => this.#session.lostCommand(command, sent, term),
    });
    return true;
  }
}
