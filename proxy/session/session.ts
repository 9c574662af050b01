import type { Socket } from "node:net";
import type { Command } from "../upstream/command.ts";
import type { OpenRetries } from "../upstream/open-retries.ts";
import type { UpstreamGroup } from "../upstream/upstream-group.ts";
import { ClientInput, type InputOwner } from "./client-input.ts";
import { listenTo, type SocketOwner } from "./client-socket.ts";
import { CommandFlow } from "./command-flow.ts";
import type { Endpoint } from "./endpoint.ts";
import { GroupMembership } from "./group-membership.ts";
import { type Identity, sameGroup, stranger } from "./identity.ts";
import { Ledger, type LedgerOwner } from "./ledger.ts";
import { type OutputOwner, OutputQueue } from "./output-queue.ts";
import { PinnedConnection } from "./pinned-connection.ts";
import type { SessionHost } from "./session-host.ts";

/** One client: who it is, what it is owed, and how it leaves. What becomes of its commands is {@link CommandFlow}'s. */
export class Session implements Endpoint, LedgerOwner, SocketOwner, InputOwner, OutputOwner {
  readonly host: SessionHost;
  readonly id: number;
  readonly output: OutputQueue;
  /** What it is owed. */
  readonly ledger: Ledger;
  readonly #socket: Socket;
  readonly #onEnd: (session: Session) => void;
  readonly #input: ClientInput;
  readonly #membership: GroupMembership;
  readonly #flow: CommandFlow;
  #pinned: PinnedConnection | undefined;
  #retry: NodeJS.Timeout | undefined;
  #identity = stranger;
  #busy = false;
  /** Since when it could have been accepted by the server, ms of the monotonic clock. */
  #loginSince = performance.now();
  #ended = false;
  #leaving = false;

  /** @param onEnd told when it is over. */
  constructor(socket: Socket, id: number, host: SessionHost, onEnd: (session: Session) => void) {
    this.#onEnd = onEnd;
    this.host = host;
    this.id = id;
    this.#socket = socket;
    this.output = new OutputQueue(socket, host.outputs, this);
    this.ledger = new Ledger(host, this.output, this);
    this.#input = new ClientInput(socket, this, host.limits, host.budget);
    this.#membership = new GroupMembership(host.link, this);
    this.#flow = new CommandFlow(this, this.#input);
    listenTo(socket, this);
  }

  /** What it needs for states of its own; most clients never have any. */
  get pinned(): PinnedConnection {
    this.#pinned ??= new PinnedConnection(this);
    return this.#pinned;
  }

  /** {@link pinned}, if it ever had any. */
  get ownConnection(): PinnedConnection | undefined {
    return this.#pinned;
  }

  /** A question of the proxy's own is under way. */
  get busy(): boolean {
    return this.#busy;
  }

  /** Nothing of the client is taken until {@link free}. */
  occupy(): void {
    this.#busy = true;
  }

  /** The question is answered; whoever says so also sees to it that the client goes on. */
  free(): void {
    this.#busy = false;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** The client has closed its side. */
  get leaving(): boolean {
    return this.#leaving;
  }

  /** How long the server could have accepted it and hasn't, ms. While what it has sent waits for a master nobody could. */
  unacceptedMs(now: number): number {
    if (this.#identity.authorized) return 0;
    if (!this.following && (this.busy || !this.ledger.waiting.empty)) this.#loginSince = now;
    return now - this.#loginSince;
  }

  /** Since when a command has begun and isn't complete, ms of the monotonic clock. */
  get partialSince(): number | undefined {
    return this.#flow.reader.partialSince;
  }

  /** At a command's boundary with nothing under way: it may be closed without losing anything. */
  get closable(): boolean {
    const nothing =
      this.ledger.outstanding === 0 && !this.busy && this.ledger.waiting.empty && this.#input.empty;
    return nothing && !this.#flow.reader.partial && this.#pinned?.inTransaction !== true;
  }

  /** The connections of its kind of clients. */
  group(): UpstreamGroup {
    return this.#membership.group;
  }

  /** Who it is. */
  get identity(): Identity {
    return this.#identity;
  }

  /** The server has agreed to a change of who it is: with another user, database or protocol it gets other connections from now on. */
  become(change: Partial<Identity>): void {
    const before = this.#identity;
    this.#identity = { ...before, ...change };
    if (!sameGroup(before, this.#identity)) this.#membership.leave();
    this.#flow.reader.limitFor(this.#identity.authorized || this.group().denied === undefined);
  }

  /** A shared connection that this client has used was lost since WAIT was answered last. */
  get sharedLost(): boolean {
    return this.#flow.sharedLost;
  }

  /** The client was told of it. */
  forgetLosses(): void {
    this.#flow.forgetLosses();
  }

  /** `CLIENT REPLY`. */
  setReplyMode(mode: "ON" | "OFF" | "SKIP"): void {
    this.#flow.replyMode.set(mode);
  }

  /** Gives a reply of the proxy's own. All earlier replies must have been given. */
  answer(bytes: Buffer): void {
    this.output.add(bytes);
  }

  /** The same, for a command that could go nowhere. */
  refuse(bytes: Buffer): void {
    this.host.metrics.refused.inc();
    this.answer(bytes);
  }

  /** A command's time is over although it could go nowhere: it gets this reply instead. */
  expire(command: Command, reply: Buffer): void {
    const { first } = this.ledger.waiting;
    if (this.#ended || first?.kind !== "command" || first.command.pieces !== command.pieces) return;
    this.ledger.waiting.replaceFirst({ kind: "reply", bytes: reply });
    this.wake();
  }

  /** The command that kept it busy was answered: it is not to be taken again. */
  finished(): void {
    this.ledger.waiting.removeFirst();
    this.connected();
    this.wake();
  }

  /** There was nobody to ask, though there is a master: not at once again. @param retries of the connections that it needs. */
  wakeSoon({ waitMs }: OpenRetries = this.group().retries): void {
    this.#flow.awaitsConnection();
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      this.wake();
    }, waitMs);
  }

  /** Its first command waits for a connection: not for ever. */
  awaitsConnection(): void {
    this.#flow.awaitsConnection();
  }

  /** What its first command is answered when it has waited for a connection for too long, though there is a master. */
  connectionRefusal(group = this.group(), problem = group.problem): Buffer | undefined {
    return this.#flow.connectionRefusal(group.retries, problem);
  }

  /** The same while it asks to be accepted. @param problem what was found at the last try. */
  loginRefusal(problem: string): Buffer | undefined {
    return this.#flow.connectionRefusal(this.host.authenticator.retries, problem);
  }

  /** It has waited for a connection, and has one. */
  connected(): void {
    this.#flow.connected();
  }

  /** Nothing of the client waits to be taken. */
  get idle(): boolean {
    return this.#flow.idle;
  }

  /** Goes on when there is a master. */
  waitForMaster(): void {
    this.#flow.hold();
    this.host.link.wait(this);
  }

  wake(): void {
    if (this.#input.accounted && this.#input.paused && !this.#input.congested && !this.#ended) {
      this.#input.lookForEnd();
    } else this.turn();
  }

  /** Everything that may go on does: commands, replies, reading, the end. */
  turn(): void {
    this.#flow.turn();
    this.output.flush();
    if (this.#input.accounted || this.#input.paused) this.#input.regulate();
    this.#endWhenDone();
  }

  // The ledger's owner

  settled(): void {
    if (this.#ended) return;
    const { outstanding, maxOutstanding } = this.ledger;
    if (outstanding === 0 || (this.#flow.reader.hasMore && outstanding < maxOutstanding / 2)) {
      this.turn();
      return;
    }
    this.output.flush();
    if (this.#input.accounted) this.#input.regulate();
  }

  // Input

  received(piece: Buffer): void {
    if (this.#leaving || this.#ended) return;
    if (this.blocked) {
      this.#input.keep(piece);
      this.#input.regulate();
      // It may be one that reads only when it has sent everything.
      if (this.#input.crowded && this.output.full) this.turn();
      return;
    }
    this.#flow.reader.push(piece);
    this.#flow.turn();
    this.output.flush();
    const { accounted, congested } = this.#input;
    if (accounted || this.#flow.reader.partial || congested || this.output.full || this.blocked) {
      this.#input.regulate();
    }
  }

  drained(): void {
    this.output.drained();
    this.readAgain();
  }

  get blocked(): boolean {
    return this.#flow.blocked;
  }

  get heldBytes(): number {
    return this.#flow.reader.partialBytes + this.ledger.waiting.bytes;
  }

  get outputFull(): boolean {
    return this.output.full;
  }

  get following(): boolean {
    return this.host.link.state === "following";
  }

  get holding(): boolean {
    return this.host.link.state === "holding";
  }

  get blocking(): boolean {
    return this.#pinned?.blocking === true;
  }

  /** Whether the client hasn't left. It is found out first if that wasn't done just now: then false, and it goes on later. */
  isStillThere(): boolean {
    if (this.#input.justLooked) return true;
    this.#input.lookForEnd();
    return false;
  }

  /** There is room again, for the master or for replies. */
  readAgain(): void {
    if (this.#flow.reader.hasMore) this.wake();
    else this.#input.regulate();
  }

  // The end

  /**
   * The client has closed its side. Redis, too, takes that for its departure: what it sent before is executed and answered; but
   * nothing that has to wait for a master: whoever leaves meanwhile has given up.
   */
  leave(): void {
    this.#leaving = true;
    this.#input.stop();
    // It would take an element for nobody, or stay for ever.
    if (this.#pinned?.waitsForOthers === true) {
      this.destroy();
      return;
    }
    // While it is looked for, or its command waits for the connection, too: the end came before the answer could.
    if (this.#input.looking || !this.following || this.#flow.held) this.#flow.drop();
    this.#endWhenDone();
  }

  /** Its bytes are no commands: it is told so after the replies that are due, and then the connection ends. */
  fail(reply: Buffer): void {
    this.#leaving = true;
    this.#input.stop();
    this.ledger.waiting.append({ kind: "reply", bytes: reply });
    if (this.ledger.outstanding > 0) return;
    this.output.add(reply);
    this.end();
  }

  /** Ends it when its client has closed its side and everything that came before is answered. */
  #endWhenDone(): void {
    if (!this.#leaving || this.#ended || this.ledger.outstanding > 0 || this.busy) return;
    if (this.#flow.idle) this.end();
  }

  /** Closes the connection in order. */
  end(): void {
    const { output } = this;
    output.end();
    if (output.unread > 0) {
      const cutOff = setInterval(() => {
        if (output.stalled) this.#socket.destroy();
      }, lookForStallMs);
      this.#socket.once("close", () => clearInterval(cutOff));
    }
    this.#release();
  }

  /** Nothing can be told any more. */
  closed(): void {
    this.output.closed();
    this.destroy();
  }

  /** It doesn't read its replies: there are too many. */
  dropUnread(): void {
    this.host.metrics.dropped.inc({ reason: "unread replies" });
    this.destroy();
  }

  /**
   * Nobody knows what became of the command that it waited for: its connection ends, behind the replies that are due, and nothing that it
   * has sent since is executed.
   */
  cutOff(): void {
    this.host.metrics.dropped.inc({ reason: "lost while blocking" });
    this.end();
  }

  dropInput(): void {
    this.host.metrics.dropped.inc({ reason: "too much behind a blocking command" });
    this.destroy();
  }

  destroy(): void {
    this.#socket.destroy();
    this.#release();
  }

  #release(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#retry);
    this.#input.stop();
    this.#flow.drop();
    this.host.link.forget(this);
    this.host.link.suspects.leave(this);
    this.#membership.leave();
    this.#pinned?.destroy();
    this.#onEnd(this);
  }
}

/** So often it is looked whether a client that is ended still reads the last replies, ms. */
const lookForStallMs = 1000;
