import type { Socket } from "node:net";
import type { Command } from "../upstream/command.ts";
import type { UpstreamGroup } from "../upstream/upstream-group.ts";
import { ClientInput, type InputOwner } from "./client-input.ts";
import { listenTo, type SocketOwner } from "./client-socket.ts";
import { CommandFlow } from "./command-flow.ts";
import { ConnectionWait } from "./connection-wait.ts";
import { type Departing, Departure } from "./departure.ts";
import type { Endpoint } from "./endpoint.ts";
import { GroupMembership } from "./group-membership.ts";
import type { Identity } from "./identity.ts";
import { Ledger, type LedgerOwner } from "./ledger.ts";
import { type OutputOwner, OutputQueue } from "./output-queue.ts";
import { PinnedConnection } from "./pinned-connection.ts";
import type { ReplyMode } from "./reply-mode.ts";
import type { SessionHost } from "./session-host.ts";
import type { SharedLink } from "./shared-link.ts";

/** One client: who it is, what it is owed, and how it leaves. What becomes of its commands is {@link CommandFlow}'s. */
export class Session implements Endpoint, Departing, LedgerOwner, SocketOwner, InputOwner, OutputOwner {
  readonly host: SessionHost;
  readonly id: number;
  readonly output: OutputQueue;
  /** What it is owed. */
  readonly ledger: Ledger;
  /** How long its first command has waited for a connection. */
  readonly connecting: ConnectionWait;
  /** How it leaves. */
  readonly departure: Departure;
  readonly #onEnd: (session: Session) => void;
  readonly #input: ClientInput;
  readonly #membership: GroupMembership;
  readonly #flow: CommandFlow;
  #pinned: PinnedConnection | undefined;
  #busy = false;

  /** @param onEnd told when it is over. */
  constructor(socket: Socket, id: number, host: SessionHost, onEnd: (session: Session) => void) {
    this.#onEnd = onEnd;
    this.host = host;
    this.id = id;
    this.output = new OutputQueue(socket, host.outputs, this);
    this.ledger = new Ledger(host, this.output, this);
    this.#input = new ClientInput(socket, this, host.limits, host.budget);
    this.connecting = new ConnectionWait(this, host.link.holdTimeoutMs);
    this.#membership = new GroupMembership(host.link, this);
    this.#flow = new CommandFlow(this, this.#input);
    this.departure = new Departure(this, socket, this.#input, this.#flow);
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
    return this.departure.over;
  }

  /** How long the server could have accepted it and hasn't, ms. While what it has sent waits for a master nobody could. */
  unacceptedMs(now: number): number {
    return this.#membership.unacceptedMs(now, !this.following && (this.busy || !this.ledger.waiting.empty));
  }

  /** Since when a command has begun and isn't complete, ms of the monotonic clock. */
  get partialSince(): number | undefined {
    return this.#flow.reader.partialSince;
  }

  /** The connections of its kind of clients. */
  group(): UpstreamGroup {
    return this.#membership.group;
  }

  get identity(): Identity {
    return this.#membership.identity;
  }

  become(change: Partial<Identity>): void {
    this.#membership.become(change);
    this.#flow.reader.limitFor(this.identity.authorized || this.group().denied === undefined);
  }

  get shared(): SharedLink {
    return this.#flow.shared;
  }

  get replyMode(): ReplyMode {
    return this.#flow.replyMode;
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

  expire(command: Command, reply: Buffer): void {
    if (!this.ended && this.ledger.expireFirst(command, reply)) this.wake();
  }

  /** The command that kept it busy was answered: it is not to be taken again. */
  finished(): void {
    this.ledger.waiting.removeFirst();
    this.connecting.over();
    this.wake();
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
    if (this.#input.accounted && this.#input.paused && !this.#input.congested && !this.ended) {
      this.#input.lookForEnd();
    } else this.turn();
  }

  /** Everything that may go on does: commands, replies, reading, the end. */
  turn(): void {
    this.#flow.turn();
    this.output.flush();
    if (this.#input.accounted || this.#input.paused) this.#input.regulate();
    this.departure.endWhenDone();
  }

  // The ledger's owner

  settled(): void {
    if (this.ended) return;
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
    if (this.departure.begun || this.ended) return;
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

  get following(): boolean {
    return this.host.link.state === "following";
  }

  isStillThere(): boolean {
    return this.#input.isStillThere();
  }

  /** There is room again, for the master or for replies. */
  readAgain(): void {
    if (this.#flow.reader.hasMore) this.wake();
    else this.#input.regulate();
  }

  // The end

  leave(): void {
    this.departure.begin();
  }

  closed(): void {
    this.output.closed();
    this.destroy();
  }

  destroy(): void {
    this.departure.endNow();
  }

  cutOff(): void {
    this.departure.cutOff();
  }

  dropUnread(): void {
    this.departure.drop("unread replies");
  }

  dropInput(): void {
    this.departure.drop("too much behind a blocking command");
  }

  gone(): void {
    const { link } = this.host;
    this.connecting.stop();
    link.forget(this);
    link.suspects.leave(this);
    this.#membership.leave();
    this.#pinned?.destroy();
    this.#onEnd(this);
  }
}
