import type { Socket } from "node:net";
import { type CommandRule, type Route, unknownCommand } from "../commands/command-rule.ts";
import { maxNameBytes } from "../commands/command-table.ts";
import { httpCommands } from "../commands/special-commands.ts";
import { decodeCommand, upper } from "../resp/command-frame.ts";
import {
  CommandScanner,
  defaultCommandLimits,
  unauthenticatedCommandLimits,
} from "../resp/command-scanner.ts";
import { encodeError, type Protocol } from "../resp/encode-reply.ts";
import { ProtocolError } from "../resp/protocol-error.ts";
import { type Command, type ReplyReceiver, Run, sizeOf } from "../upstream/run.ts";
import type { Credentials, Upstream } from "../upstream/upstream.ts";
import type { UpstreamGroup, Waiter } from "../upstream/upstream-group.ts";
import {
  deniedReply,
  httpReply,
  noAuthReply,
  noMasterReply,
  tooBigReply,
  tooManyArgsReply,
  uncertainReply,
} from "./error-replies.ts";
import { answerLocally } from "./local-commands.ts";
import { OutputQueue } from "./output-queue.ts";
import { PinnedConnection } from "./pinned-connection.ts";
import type { SessionHost } from "./session-host.ts";

/** What waits in a session: a command, or a reply that may only be given after those before it. */
export type Pending =
  | { readonly kind: "command"; readonly command: Command }
  | { readonly kind: "reply"; readonly bytes: Buffer };

/** The kernel keeps hardly more of one connection. */
const lookAheadBytes = 16 * 2 ** 20;

/**
 * One client. Its commands are taken in order: what is stateless goes over the shared connection, what isn't over one of
 * its own, and what can't go anywhere just now waits here, with all that comes behind it.
 */
export class Session implements ReplyReceiver, Waiter {
  readonly host: SessionHost;
  readonly id: number;
  readonly output: OutputQueue;
  readonly connectedAt = performance.now();
  protocol: Protocol = 2;
  db = 0;
  name = "";
  credentials: Credentials | undefined;
  /** The server has accepted this client, with or without a password. */
  authorized = false;
  /** Commands whose replies are still to come. */
  outstanding = 0;
  /** A question of the proxy's own is under way; nothing else may happen before it is answered. */
  busy = false;
  partialSince: number | undefined;
  readonly #socket: Socket;
  readonly #scanner: CommandScanner;
  #pinned: PinnedConnection | undefined;
  #group: UpstreamGroup | undefined;
  #lastShared: Upstream | undefined;
  #inputs: Buffer[] = [];
  #inputBytes = 0;
  /** What the budget was told. */
  #accounted = 0;
  /** The master doesn't take what was sent to it already. */
  #congested = false;
  #backlog: Pending[] = [];
  #returned: Pending[] = [];
  #rewinding = false;
  #pumping = false;
  #pumpAgain = false;
  #looking = false;
  #scannerHasMore = false;
  #ended = false;
  #leaving = false;
  /** `CLIENT REPLY OFF`. */
  #silenced = false;
  /** `CLIENT REPLY SKIP`: the next command gets no reply, or its reply is waited for. */
  #skipping: "next" | "waiting" | undefined;

  constructor(socket: Socket, id: number, host: SessionHost) {
    this.host = host;
    this.id = id;
    this.#socket = socket;
    this.output = new OutputQueue(socket, host.limits, host.outputs, () => {
      host.metrics.dropped.inc({ reason: "unread replies" });
      this.destroy();
    });
    const open = this.group().denied === undefined;
    this.#scanner = new CommandScanner(
      host.server.table,
      open ? defaultCommandLimits : unauthenticatedCommandLimits,
    );
    socket.on("data", (piece: Buffer) => this.#receive(piece));
    socket.on("error", () => this.destroy());
    // Redis, too, takes the end of what a client sends for its departure; replies that are due it still gets.
    socket.once("end", () => this.leave());
    socket.once("close", () => {
      this.output.closed();
      this.destroy();
    });
    socket.on("drain", () => {
      this.output.drained();
      this.#readAgain();
    });
  }

  /** What it needs for states of its own; most clients never have any. */
  get pinned(): PinnedConnection {
    this.#pinned ??= new PinnedConnection(this);
    return this.#pinned;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get rewinding(): boolean {
    return this.#rewinding;
  }

  /** At a command's boundary with nothing under way: it may be closed without losing anything. */
  get drained(): boolean {
    return (
      this.outstanding === 0 &&
      !this.busy &&
      this.#backlog.length === 0 &&
      this.#inputs.length === 0 &&
      this.#returned.length === 0 &&
      !this.#scanner.partial &&
      this.#pinned?.transaction === undefined
    );
  }

  /** The connections of its kind of clients. */
  group(): UpstreamGroup {
    if (this.#group === undefined) {
      this.#group = this.host.link.group({
        credentials: this.credentials,
        db: this.db,
        protocol: this.protocol,
      });
      this.#group.members++;
    }
    return this.#group;
  }

  /** User, database or protocol have changed: other connections from now on. */
  changeGroup(): void {
    this.#leaveGroup();
    if (this.authorized) this.#scanner.limits = defaultCommandLimits;
  }

  #leaveGroup(): void {
    const group = this.#group;
    if (group === undefined) return;
    this.#group = undefined;
    group.forget(this);
    group.members--;
    if (group.members === 0) group.emptySince = performance.now();
  }

  wake(): void {
    if (this.#accounted > 0 && this.#socket.isPaused() && !this.#congested && !this.#ended) {
      this.#lookForEnd();
      return;
    }
    this.pump();
    this.output.flush();
    if (this.#accounted > 0 || this.#socket.isPaused()) this.#regulate();
    this.#endWhenDone();
  }

  /**
   * A socket that isn't read from doesn't tell that its client has left; then nothing of it may be executed. What the
   * kernel has is read before the client goes on: behind it may be the end.
   */
  #lookForEnd(): void {
    if (this.#looking) return;
    this.#looking = true;
    const before = this.#inputBytes;
    this.#socket.resume();
    // The second one comes after the loop has looked at its sockets.
    setImmediate(() =>
      setImmediate(() => {
        this.#looking = false;
        if (this.#ended) return;
        const { heldBytesInAll } = this.host.limits;
        const more = this.#inputBytes > before && this.#inputBytes < lookAheadBytes;
        if (more && this.host.budget.total < 2 * heldBytesInAll) this.#lookForEnd();
        else {
          this.pump();
          this.output.flush();
          this.#regulate();
          this.#endWhenDone();
        }
      }),
    );
  }

  /** Gives a reply of the proxy's own. All earlier replies must have been given. */
  answer(bytes: Buffer): void {
    this.output.add(bytes);
  }

  /** `CLIENT REPLY`: the server answers all the same, and the answers are dropped here. */
  setReplyMode(mode: "ON" | "OFF" | "SKIP"): void {
    if (mode === "SKIP") this.#skipping = this.#silenced ? undefined : "next";
    else this.#silenced = mode === "OFF";
    this.output.muted = mode !== "ON";
  }

  /** A command's time is over although it could go nowhere: it gets this reply instead. */
  expire(command: Command, reply: Buffer): void {
    const [first] = this.#backlog;
    if (this.#ended || first?.kind !== "command" || first.command.pieces !== command.pieces) return;
    this.#backlog[0] = { kind: "reply", bytes: reply };
    this.wake();
  }

  /** Puts something back to the head of what waits, in the order in which it is given back. */
  giveBack(pending: Pending): void {
    this.#returned.push(pending);
  }

  /** Something was put back: replies to later commands have to wait. */
  get givenBack(): boolean {
    return this.#returned.length > 0;
  }

  /**
   * The client has closed its side. As with Redis, what it sent before is executed and answered; but nothing that has to
   * wait for a master: whoever leaves meanwhile has given up.
   */
  leave(): void {
    this.#leaving = true;
    // It would take an element for nobody.
    if (this.#pinned?.blocking === true) {
      this.destroy();
      return;
    }
    // While it is looked for, the end came before the master did.
    if (this.#looking || this.host.link.state !== "following") this.#dropHeld();
    this.#endWhenDone();
  }

  /** Ends it when its client has closed its side and everything that came before is answered. */
  #endWhenDone(): void {
    if (!this.#leaving || this.#ended || this.outstanding > 0 || this.busy) return;
    const waits = this.#backlog.length + this.#returned.length + this.#inputs.length > 0;
    if (!waits && !this.#scannerHasMore) this.end();
  }

  /** Closes the connection in order. */
  end(): void {
    this.output.flush();
    this.#socket.end();
    this.#socket.destroySoon();
    if (this.#socket.writableLength > 0) {
      // Whoever doesn't read what is left must not keep it here.
      const cutOff = setTimeout(() => this.#socket.destroy(), lingerMs);
      this.#socket.once("close", () => clearTimeout(cutOff));
    }
    this.#release();
  }

  destroy(): void {
    this.#socket.destroy();
    this.#release();
  }

  // ReplyReceiver

  forward(bytes: Buffer, count: number): void {
    this.outstanding -= count;
    this.output.add(bytes);
  }

  forwardPart(pieces: readonly Buffer[]): void {
    for (const piece of pieces) this.output.add(piece);
    this.output.flush();
  }

  rewind(run: Run, reply: Buffer, rejected: boolean): void {
    this.outstanding--;
    this.#rewinding = true;
    const command = this.#commandsOf(run)[run.answered];
    if (command !== undefined && (rejected || command.rule.effectFree)) {
      this.#returned.push({ kind: "command", command });
      this.host.metrics.sentAgain.inc();
    } else this.#returned.push({ kind: "reply", bytes: reply });
  }

  lost(run: Run, sent: boolean): void {
    this.outstanding -= run.left;
    for (const command of this.#commandsOf(run).slice(run.answered)) this.lostCommand(command, sent);
  }

  /** Decides what becomes of a command whose reply will never come. */
  lostCommand(command: Command, sent: boolean): void {
    if (!sent || command.rule.effectFree) {
      this.#returned.push({ kind: "command", command });
      if (sent) this.host.metrics.sentAgain.inc();
    } else {
      this.#returned.push({ kind: "reply", bytes: uncertainReply });
      this.host.metrics.uncertain.inc();
    }
  }

  broken(): void {
    this.destroy();
  }

  settle(): void {
    if (this.#ended) return;
    const goOn = this.#scannerHasMore && this.outstanding < maxOutstanding / 2;
    if (this.outstanding === 0 || goOn) this.pump();
    this.output.flush();
    if (this.#accounted > 0) this.#regulate();
    this.#endWhenDone();
  }

  // Input

  #receive(piece: Buffer): void {
    if (this.#leaving || this.#ended) return;
    if (this.#blocked) {
      this.#inputs.push(piece);
      this.#inputBytes += piece.length;
      this.#regulate();
      return;
    }
    this.#scanner.push(piece);
    this.#scannerHasMore = true;
    this.pump();
    this.output.flush();
    if (
      this.#accounted > 0 ||
      this.#scanner.partial ||
      this.#congested ||
      this.output.full ||
      this.#blocked
    ) {
      this.#regulate();
    }
  }

  get #blocked(): boolean {
    return this.busy || this.#backlog.length > 0 || this.#returned.length > 0 || this.#scannerHasMore;
  }

  #dropHeld(): void {
    this.#inputBytes = 0;
    this.#inputs = [];
    this.#backlog = [];
    this.#scannerHasMore = false;
    this.#account(0);
  }

  /** Counts what waits, and reads from the client only as long as there is room for more. */
  #regulate(): void {
    if (this.#ended || this.#leaving) return;
    const { limits, budget } = this.host;
    let bytes = this.#inputBytes + this.#scanner.partialBytes;
    for (const pending of this.#backlog) {
      if (pending.kind === "command") for (const piece of pending.command.pieces) bytes += piece.length;
    }
    this.#account(bytes);
    const blocked = this.#blocked;
    const enough = blocked && (bytes >= limits.heldBytes || this.#inputs.length >= limits.heldPieces);
    const pause =
      !this.#looking &&
      (enough ||
        this.#congested ||
        this.output.full ||
        (bytes > 0 && !budget.mayGrow(this, !blocked && this.host.link.state === "following")));
    if (pause && !this.#socket.isPaused()) this.#socket.pause();
    else if (!pause && this.#socket.isPaused()) this.#socket.resume();
  }

  #account(bytes: number): void {
    if (bytes === this.#accounted) return;
    const change = bytes - this.#accounted;
    this.#accounted = bytes;
    this.host.budget.change(this, change, bytes === 0);
  }

  mayRead(): void {
    this.#regulate();
  }

  #readAgain(): void {
    if (this.#scannerHasMore) this.wake();
    else this.#regulate();
  }

  /** Takes commands as long as there are some that can go somewhere. */
  pump(): void {
    if (this.#pumping || this.#ended) {
      this.#pumpAgain = this.#pumping;
      return;
    }
    this.#pumping = true;
    try {
      do {
        this.#pumpAgain = false;
        while (this.#step());
        // A connection that was there at once has woken it in the middle of a step.
      } while (this.#pumpAgain);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.host.metrics.protocolErrors.inc();
      this.#fail(encodeError(`ERR Protocol error: ${error.message}`));
    } finally {
      this.#pumping = false;
    }
  }

  /** A protocol error is told after the replies that are due, and then the connection ends. */
  #fail(reply: Buffer): void {
    this.#dropHeld();
    this.#backlog = [{ kind: "reply", bytes: reply }];
    this.#leaving = true;
    if (this.outstanding > 0) return;
    this.output.add(reply);
    this.end();
  }

  /** One step; false when nothing can go on just now. */
  #step(): boolean {
    if (this.busy || this.#ended) return false;
    if (this.#returned.length > 0) {
      if (this.outstanding > 0) return false;
      this.#backlog = [...this.#returned, ...this.#backlog];
      this.#returned = [];
      this.#rewinding = false;
    }
    if (this.#skipping === "waiting") {
      if (this.outstanding > 0) return false;
      this.#skipping = undefined;
      this.output.muted = this.#silenced;
    }
    if (this.#pinned?.restored() === false) return false;
    if (this.#leaving && this.host.link.state !== "following" && this.#backlog[0]?.kind === "command") {
      this.#dropHeld();
      return false;
    }
    const [first] = this.#backlog;
    if (first !== undefined) {
      if (first.kind === "reply") {
        if (this.outstanding > 0) return false;
        this.output.add(first.bytes);
        this.#backlog.shift();
        return true;
      }
      this.#backlog.shift();
      const skipped = this.#skipping;
      if (this.take(first.command)) {
        if (skipped === "next") this.#skipping = "waiting";
        return true;
      }
      // Whoever took it may have put something before it.
      this.#backlog.unshift(first);
      return false;
    }
    if (this.#scannerHasMore) return this.#scan();
    const piece = this.#inputs.shift();
    if (piece === undefined) return false;
    this.#inputBytes -= piece.length;
    this.#scanner.push(piece);
    this.#scannerHasMore = true;
    return true;
  }

  /** Sends all that is simple and stands next to each other as one run; false when it stopped at something else. */
  #scan(): boolean {
    const scanner = this.#scanner;
    // This client may have come before the master had told its commands, or the master may be another one now.
    scanner.table = this.host.server.table;
    // Replies that nobody reads must not pile up without a bound.
    if (this.outstanding >= maxOutstanding || this.output.full) return false;
    const upstream = this.#skipping === undefined ? this.#linkForRuns() : undefined;
    let room = maxOutstanding - this.outstanding;
    let buffer: Buffer | undefined;
    let start = 0;
    let end = 0;
    let count = 0;
    const flush = (): void => {
      if (count > 0 && buffer !== undefined && upstream !== undefined) {
        this.outstanding += count;
        upstream.send(new Run(this, undefined, undefined, buffer, start, end, count));
      }
      count = 0;
    };
    try {
      while (room-- > 0) {
        if (!scanner.next()) {
          this.#scannerHasMore = false;
          break;
        }
        // One was completed: the next has its own time.
        this.partialSince = undefined;
        if (upstream !== undefined && scanner.rule.simple) {
          if (
            scanner.earlier === undefined &&
            count > 0 &&
            scanner.buffer === buffer &&
            scanner.start === end
          ) {
            end = scanner.end;
            count++;
            continue;
          }
          flush();
          if (scanner.earlier === undefined) {
            buffer = scanner.buffer;
            start = scanner.start;
            end = scanner.end;
            count = 1;
          } else {
            this.outstanding++;
            const { earlier, start: from, end: to } = scanner;
            upstream.send(new Run(this, undefined, earlier, scanner.buffer, from, to, 1));
          }
          continue;
        }
        flush();
        const { rule, argCount, earlier, buffer: last, start: from, end: to } = scanner;
        const pieces = [...(earlier ?? []), last.subarray(from, to)];
        this.#backlog.push({ kind: "command", command: { rule, argCount, pieces } });
        return true;
      }
    } finally {
      flush();
    }
    if (!this.#scannerHasMore) scanner.forget();
    this.partialSince = scanner.partial ? (this.partialSince ?? performance.now()) : undefined;
    if (upstream !== undefined && !this.#congested && upstream.backlogBytes > this.host.limits.heldBytes) {
      this.#congested = true;
      upstream.onceDrained(() => {
        this.#congested = false;
        this.#readAgain();
      });
    }
    return !this.#scannerHasMore;
  }

  /** The connection for simple commands, when they can go now without another look. */
  #linkForRuns(): Upstream | undefined {
    if (this.#pinned?.active === true) return this.#pinned.plainUpstream;
    return this.#sharedUpstream(false);
  }

  #sharedUpstream(wait: boolean): Upstream | undefined {
    const { link } = this.host;
    if (link.state !== "following") {
      if (wait) link.wait(this);
      return undefined;
    }
    const group = this.group();
    const upstream = wait ? group.shared(this) : group.current;
    if (upstream === undefined) return undefined;
    // Replies of another connection could come after those of this one.
    if (upstream !== this.#lastShared && this.outstanding > 0) return undefined;
    this.#lastShared = upstream;
    if (!this.authorized) {
      this.authorized = true;
      this.#scanner.limits = defaultCommandLimits;
    }
    return upstream;
  }

  /** The shared connection that this client has used last. */
  get lastShared(): Upstream | undefined {
    return this.#lastShared;
  }

  /** Brings one command to where it belongs; false when it has to wait. */
  take(command: Command): boolean {
    const rule = this.#ruleOf(command);
    const known = rule === command.rule ? command : { ...command, rule };
    if (rule.route === "denied") {
      if (this.outstanding > 0) return false;
      if (httpCommands.has(rule.name)) {
        this.answer(httpReply);
        this.end();
        return true;
      }
      this.#pinned?.refuseInTransaction();
      this.answer(deniedReply(rule.name));
      return true;
    }
    const tooMany = command.argCount > maxExaminedArgs && examined.has(rule.route);
    if (tooMany || (rule.route === "local" && sizeOf(command) > maxLocalBytes)) {
      if (this.outstanding > 0) return false;
      this.#pinned?.refuseInTransaction();
      this.answer(tooMany ? tooManyArgsReply(rule.name, maxExaminedArgs) : tooBigReply(rule.name));
      return true;
    }
    const transaction = this.#pinned?.transaction !== undefined;
    if (rule.route === "local" && (!transaction || rule.name === "quit" || rule.name === "reset")) {
      return this.outstanding === 0 && answerLocally(this, known);
    }
    if (this.host.link.state === "circuitOpen" && this.outstanding === 0) {
      return this.#refuse();
    }
    if (this.#pinned?.active === true || rule.route !== "shared") {
      if (!this.#mayPin()) return this.#checkAccess();
      return this.pinned.take(known);
    }
    const upstream = this.#sharedUpstream(true);
    if (upstream === undefined) return this.#checkAccess();
    this.#send(upstream, known);
    return true;
  }

  #send(upstream: Upstream, command: Command): void {
    const last = command.pieces.at(-1);
    if (last === undefined) return;
    this.outstanding++;
    const earlier = command.pieces.length > 1 ? command.pieces.slice(0, -1) : undefined;
    upstream.send(new Run(this, undefined, earlier, last, 0, last.length, 1));
  }

  #mayPin(): boolean {
    return this.group().denied === undefined;
  }

  /** Whether the server refuses this client: then it gets the error at once. */
  #checkAccess(): boolean {
    if (this.group().denied === undefined || this.outstanding > 0) return false;
    this.authorized = false;
    this.#scanner.limits = unauthenticatedCommandLimits;
    this.answer(noAuthReply);
    return true;
  }

  #refuse(): boolean {
    this.host.metrics.refused.inc();
    this.#pinned?.abandon();
    this.answer(noMasterReply);
    return true;
  }

  /** The rule that counts: the subcommand's, or the one for arguments that make it block. */
  #ruleOf(command: Command): CommandRule {
    const rule = command.rule === unknownCommand ? this.#lookUp(command) : command.rule;
    if (rule.subcommands === undefined && rule.blocksWith === undefined) return rule;
    if (rule.blocksWith !== undefined) {
      // It is refused.
      if (command.argCount > maxExaminedArgs) return rule;
      const args = decodeCommand(Buffer.concat(command.pieces));
      const blocks = args.some((arg) => upper(arg) === rule.blocksWith);
      return blocks ? rule : { ...rule, route: "shared" };
    }
    const args = decodeCommand(Buffer.concat(command.pieces), 2);
    return rule.subcommands?.get(args[1]?.toString("latin1").toLowerCase() ?? "") ?? rule;
  }

  /** It may have been read before the master had told its commands. */
  #lookUp({ pieces }: Command): CommandRule {
    const [name] = decodeCommand(Buffer.concat(pieces), 1);
    return name === undefined || name.length > maxNameBytes
      ? unknownCommand
      : this.host.server.table.find(name, 0, name.length);
  }

  #commandsOf(run: Run): Command[] {
    const scanner = new CommandScanner(this.host.server.table);
    const commands: Command[] = [];
    scanner.push(Buffer.concat([...(run.earlier ?? []), run.buffer.subarray(run.start, run.end)]));
    while (scanner.next()) {
      const { rule, argCount, buffer, start, end } = scanner;
      const command = { rule, argCount, pieces: [buffer.subarray(start, end)] };
      commands.push({ ...command, rule: this.#ruleOf(command) });
    }
    return commands;
  }

  #release(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#dropHeld();
    this.host.link.forget(this);
    this.#leaveGroup();
    this.#pinned?.destroy();
    this.host.ended(this);
  }

  /** The command that kept it busy was answered: it is not to be taken again. */
  finished(): void {
    this.#backlog.shift();
    this.wake();
    this.#endWhenDone();
  }

  /** There was nobody to ask, though there is a master: not at once again. */
  wakeSoon(): void {
    setTimeout(() => this.wake(), retryMs);
  }
}

/** Routes of commands whose arguments the proxy itself has to look through, and how many it does. */
const examined: ReadonlySet<Route> = new Set(["local", "blocking", "subscribe", "unsubscribe"]);
const maxExaminedArgs = 10_000;
/** Bytes of a command that the proxy itself answers: passwords and names are short. */
const maxLocalBytes = 2 ** 20;
/** ms */
const retryMs = 25;
/** A client that is ended has so long to read the last replies, ms. */
const lingerMs = 10_000;
/** Commands of one client in flight: more wait until some of these are answered. */
const maxOutstanding = 1024;
