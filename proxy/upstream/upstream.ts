import type { Socket } from "node:net";
import type { Address } from "../../quorum/address.ts";
import { connectSocket, type TlsFiles } from "../../runtime/tls-files.ts";
import { encodeCommand } from "../resp/command-frame.ts";
import { decodeReply, isErrorReply, type PlainReply } from "../resp/decode-reply.ts";
import type { Protocol } from "../resp/encode-reply.ts";
import { ReplyScanner } from "../resp/reply-scanner.ts";
import { errorType, isError } from "../resp/reply-type.ts";
import { type Confirmation, ConfirmationGate, type Durability, type Held } from "./confirmation-gate.ts";
import { type Rejection, rejectionOf } from "./rejection.ts";
import { type ReplyHandler, type ReplyReceiver, Run } from "./run.ts";
import { RunQueue } from "./run-queue.ts";
import { splitReplies } from "./split-replies.ts";
import { WriteBatch } from "./write-batch.ts";

/** A user as a client has proven to be one. `user` is undefined for `AUTH <password>`. */
export interface Credentials {
  readonly user?: string;
  readonly password: string;
}

/** What an {@link Upstream} is told. */
export interface UpstreamOptions {
  readonly address: Address;
  /** With it the connection is encrypted, and the server has to prove who it is. */
  readonly tls?: TlsFiles | undefined;
  readonly credentials?: Credentials | undefined;
  readonly protocol: Protocol;
  readonly db: number;
  /** Bound for connecting and the handshake, ms. */
  readonly connectTimeoutMs: number;
  /** With it the replies to writes are given when a replica has these, too. */
  readonly durability?: Durability | undefined;
  /** Why a reply means that its command has to be sent again; undefined: it is the client's. */
  readonly rejects: (reply: Buffer) => Rejection | undefined;
  /** A reply said that this is no master that works. */
  readonly onRejection: (upstream: Upstream, rejection: Rejection) => void;
  /** It was closed, with the reason; everything in flight was handed back before. Called once. */
  readonly onClose: (upstream: Upstream, reason: UpstreamFailure) => void;
}

/** Why an upstream ended. `denied`: the server doesn't accept the credentials. */
export interface UpstreamFailure {
  readonly kind: "unreachable" | "notMaster" | "denied" | "lost" | "retired";
  readonly message: string;
}

/** A reply bigger than this is passed on before it is complete; a loss in its middle costs the client's connection. */
const keepReplyUpTo = 4 * 2 ** 20;

/**
 * WAIT asks about what was replicated when its connection's last command ended its first run. What a blocked command takes when another
 * client gives it comes later (Redis 7.0 doesn't count it), so another command comes between the two.
 */
const offsetMark: ReplyHandler = { reply: () => undefined, lost: () => undefined };

/**
 * One connection with the master. It is used only after it has said by `ROLE` that it is one and by `PING` that it works.
 * Replies go to the runs in the order in which they were sent.
 */
export class Upstream {
  readonly options: UpstreamOptions;
  /** The only client of this connection, while it has one. */
  owner: ReplyReceiver | undefined;
  /** Told when it is closed, after everything in flight was handed back. */
  onClosed: (() => void) | undefined;
  /** Takes messages that are no replies, while a client is subscribed. */
  onMessage: ((frame: Buffer) => void) | undefined;
  /** Whether a frame is a message rather than the reply that the oldest run waits for. */
  isMessage: ((frame: Buffer) => boolean) | undefined;
  /** When something came last, or when something was sent after nothing was in flight; ms of the monotonic clock. */
  quietSince = performance.now();
  readonly #socket: Socket;
  readonly #scanner = new ReplyScanner();
  readonly #batch: WriteBatch;
  readonly #runs = new RunQueue();
  readonly #drained: (() => void)[] = [];
  readonly #touched = new Set<ReplyReceiver>();
  readonly #gate: ConfirmationGate | undefined;
  #unsent = 0;
  #ready = false;
  #closed = false;
  #partial = false;
  #endsWhenIdle = false;
  #failure: UpstreamFailure | undefined;
  #opened: ((ready: boolean) => void) | undefined;

  constructor(options: UpstreamOptions) {
    this.options = options;
    const socket = connectSocket(options.address, options.tls);
    this.#socket = socket;
    const { durability } = options;
    this.#gate =
      durability &&
      new ConfirmationGate(durability, (confirmation, held) => this.#release(confirmation, held));
    this.#batch = new WriteBatch(socket, () => {
      if (this.#gate?.due === true) this.#addQuestion(this.#gate);
      this.#unsent = 0;
    });
    const timer = setTimeout(
      () => this.#fail("unreachable", `no answer within ${options.connectTimeoutMs} ms`),
      options.connectTimeoutMs,
    );
    socket.on("data", (piece: Buffer) => this.#receive(piece));
    socket.once("error", (error) => this.#fail(this.#ready ? "lost" : "unreachable", error.message));
    socket.once("close", () => {
      clearTimeout(timer);
      this.#close();
    });
    this.#handshake(() => {
      clearTimeout(timer);
      this.#ready = true;
      this.#opened?.(true);
      this.#opened = undefined;
    });
  }

  /** Calls back once: with true when it is ready, with false when it was closed without ever having been. */
  onceOpened(callback: (ready: boolean) => void): void {
    this.#opened = callback;
  }

  /** It may be used. */
  get ready(): boolean {
    return this.#ready && !this.#closed;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Runs that wait for replies. */
  get inFlight(): number {
    return this.#runs.length;
  }

  /** Redis has been asked whether a replica has the writes, and answers nothing else before. */
  get confirming(): boolean {
    return (this.#gate?.questions ?? 0) > 0;
  }

  /** Bytes that the server has not taken yet. */
  get backlogBytes(): number {
    return this.#socket.writableLength;
  }

  /** Sends commands of a client, or one of the proxy's own. */
  send(run: Run): void {
    const idle = this.#runs.length === 0;
    if (idle) this.quietSince = performance.now();
    this.#runs.push(run);
    this.#unsent++;
    if (run.earlier !== undefined) for (const piece of run.earlier) this.#batch.add(piece, 0, piece.length);
    this.#batch.add(run.buffer, run.start, run.end);
    this.#batch.schedule(idle);
    if (run.writes && this.#gate !== undefined) {
      this.#gate.wrote();
      // A client's own connection has states between its commands: the question goes nowhere but behind the write.
      if (this.owner !== undefined) {
        this.ask(["PING"], offsetMark);
        this.#addQuestion(this.#gate);
      }
    }
  }

  #addQuestion(gate: ConfirmationGate): void {
    for (const run of gate.question()) {
      this.#runs.push(run);
      this.#unsent++;
      this.#batch.add(run.buffer, run.start, run.end);
    }
  }

  /** Ends it as soon as nothing is in flight: nothing new comes. */
  endWhenIdle(): void {
    this.#endsWhenIdle = true;
  }

  /** Sends one command whose reply the caller looks at. */
  ask(args: readonly (string | Buffer)[], handler: ReplyHandler): void {
    const frame = encodeCommand(args);
    this.send(Run.of(undefined, handler, { pieces: [frame] }, 1));
  }

  /** Calls back once when the server has taken what was written. */
  onceDrained(callback: () => void): void {
    if (this.#drained.push(callback) > 1) return;
    this.#socket.once("drain", () => {
      for (const waiting of this.#drained.splice(0)) waiting();
    });
  }

  /** Takes note of an error reply that says that this is no master that works. */
  reject(rejection: Rejection): void {
    this.options.onRejection(this, rejection);
  }

  /** Ends it: what is in flight is handed back as lost. */
  destroy(reason = "not needed any more"): void {
    this.#fail("retired", reason);
  }

  #handshake(done: () => void): void {
    const { credentials, protocol, db } = this.options;
    const expect = (args: string[], check: (reply: PlainReply) => UpstreamFailure | undefined): void =>
      this.ask(args, {
        reply: (bytes) => {
          const failure = check(decodeReply(bytes));
          if (failure !== undefined) this.#fail(failure.kind, failure.message);
        },
        lost: () => undefined,
      });
    const denied = (reply: PlainReply): UpstreamFailure | undefined =>
      isErrorReply(reply)
        ? { kind: reply.error.startsWith("LOADING") ? "notMaster" : "denied", message: reply.error }
        : undefined;
    if (credentials !== undefined) {
      const { user, password } = credentials;
      expect(user === undefined ? ["AUTH", password] : ["AUTH", user, password], denied);
    }
    if (protocol === 3) expect(["HELLO", "3"], denied);
    expect(["ROLE"], (reply) => {
      if (Array.isArray(reply) && reply[0] === "master") return undefined;
      if (isErrorReply(reply) && reply.error.startsWith("NOPERM")) return undefined;
      const kind = isErrorReply(reply) && /^(NOAUTH|WRONGPASS)/.test(reply.error) ? "denied" : "notMaster";
      return { kind, message: `ROLE answered ${isErrorReply(reply) ? reply.error : String(reply)}` };
    });
    if (db !== 0) expect(["SELECT", String(db)], denied);
    // A Redis that loads its data says ROLE master, too.
    this.ask(["PING"], {
      reply: (bytes) => {
        if (rejectionOf(bytes) !== undefined) this.#fail("notMaster", bytes.toString("latin1").trim());
        else if (this.#failure === undefined) done();
      },
      lost: () => undefined,
    });
  }

  #receive(piece: Buffer): void {
    this.quietSince = performance.now();
    const scanner = this.#scanner;
    const gate = this.#gate;
    scanner.push(piece);
    let receiver: ReplyReceiver | undefined;
    let from = 0;
    let to = 0;
    let count = 0;
    const flush = (): void => {
      if (count > 0 && receiver !== undefined) {
        receiver.forward(scanner.buffer.subarray(from, to), count);
        this.#touched.add(receiver);
      }
      count = 0;
    };
    try {
      while (!this.#closed && scanner.next()) {
        const run = this.#runs.first();
        if (gate !== undefined && this.#isHeld(gate, run)) {
          flush();
          this.#hold(gate, run);
          continue;
        }
        const whoGetsIt = run?.receiver;
        if (
          run !== undefined &&
          whoGetsIt !== undefined &&
          run.handler === undefined &&
          scanner.type !== errorType &&
          scanner.type !== 62 &&
          this.isMessage === undefined &&
          !this.#partial &&
          !whoGetsIt.rewinding
        ) {
          if (scanner.earlier !== undefined) {
            flush();
            // Big ones are many pieces: to make one of them would cost more than all the rest.
            const { buffer, start, end, earlier } = scanner;
            whoGetsIt.forwardPieces([...earlier, buffer.subarray(start, end)]);
            this.#touched.add(whoGetsIt);
          } else if (count > 0 && whoGetsIt === receiver && scanner.start === to) {
            to = scanner.end;
            count++;
          } else {
            flush();
            receiver = whoGetsIt;
            from = scanner.start;
            to = scanner.end;
            count = 1;
          }
          this.#answered(run);
          continue;
        }
        flush();
        this.#slow(run);
      }
      flush();
      if (!this.#closed && scanner.earlierBytes > keepReplyUpTo) this.#passPart();
    } catch (error) {
      flush();
      this.#fail("lost", error instanceof Error ? error.message : String(error));
    }
    this.#settle();
    if (this.#endsWhenIdle && this.#runs.length === 0) this.destroy();
  }

  #answered(run: Run): void {
    run.answered++;
    if (--run.left === 0) this.#runs.shift();
  }

  /** A reply that somebody looks at. */
  #slow(run: Run | undefined): void {
    if (this.#partial && run?.receiver !== undefined) {
      const { buffer, start, end, earlier } = this.#scanner;
      this.#partial = false;
      this.#touched.add(run.receiver);
      run.receiver.forwardPart(earlier === undefined ? [] : earlier);
      this.#answered(run);
      run.receiver.forward(buffer.subarray(start, end), 1);
      return;
    }
    const bytes = this.#bytes();
    if (this.#isMessage(bytes)) {
      this.#tell(bytes);
      return;
    }
    if (run === undefined) {
      this.#fail("lost", "the server sent a reply that nobody asked for");
      return;
    }
    if (run.handler !== undefined) {
      // An error is the only answer, however many confirmations there would have been.
      if (isError(bytes)) run.left = 1;
      this.#answered(run);
      if (run.receiver !== undefined) this.#touched.add(run.receiver);
      run.handler.reply(bytes);
      return;
    }
    const index = run.answered;
    this.#answered(run);
    this.#give(run, index, bytes);
  }

  /** Gives one reply to whom it belongs. */
  #give(run: Run, index: number, bytes: Buffer, again = false): void {
    const { receiver } = run;
    // Without one the client has gone.
    if (receiver === undefined) return;
    this.#touched.add(receiver);
    const rejection = isError(bytes) ? this.options.rejects(bytes) : undefined;
    if (rejection !== undefined || receiver.rewinding || again) {
      receiver.rewind(run, index, bytes, rejection !== undefined);
      if (rejection !== undefined) this.reject(rejection);
      return;
    }
    receiver.forward(bytes, 1);
  }

  /** Whether what has come now waits for a replica's confirmation. An error is none of something that could be lost. */
  #isHeld(gate: ConfirmationGate, run: Run | undefined): boolean {
    if (gate.isQuestion(run) && !this.#isMessage()) return false;
    if (gate.holding) return !this.#partial;
    return run?.writes === true && this.#scanner.type !== errorType && !this.#isMessage();
  }

  /** @param bytes what has come now, where it has been put together already. */
  #isMessage(bytes?: Buffer): boolean {
    if (this.isMessage === undefined) return this.#scanner.type === 62;
    return this.isMessage(bytes ?? this.#bytes());
  }

  /** Gives a message to the client of this connection. */
  #tell(message: Buffer): void {
    this.onMessage?.(message);
    if (this.owner !== undefined) this.#touched.add(this.owner);
  }

  /** What has come now, in one piece. */
  #bytes(): Buffer {
    const { buffer, start, end, earlier } = this.#scanner;
    const last = buffer.subarray(start, end);
    return earlier === undefined ? last : Buffer.concat([...earlier, last]);
  }

  #hold(gate: ConfirmationGate, run: Run | undefined): void {
    const bytes = this.#bytes();
    if (this.#isMessage(bytes)) gate.holdMessage(bytes);
    else if (run === undefined) this.#fail("lost", "the server sent a reply that nobody asked for");
    else {
      const nobodyAsked = gate.hold(run, bytes);
      this.#answered(run);
      if (nobodyAsked) for (const question of gate.question()) this.send(question);
    }
  }

  /** Gives what was held back: as it came, or with the writes' replies replaced. */
  #release(confirmation: Confirmation, held: readonly Held[]): void {
    for (const item of held) {
      if (item.kind === "message") {
        this.#tell(item.bytes);
        continue;
      }
      const { run, index, count, bytes } = item;
      const { receiver, handler } = run;
      if (receiver !== undefined) this.#touched.add(receiver);
      if (
        confirmation === "confirmed" &&
        handler === undefined &&
        !isError(bytes) &&
        receiver?.rewinding === false
      ) {
        receiver.forward(bytes, count);
        continue;
      }
      for (const [i, reply] of splitReplies(bytes).entries())
        this.#releaseOne(confirmation, run, index + i, reply);
    }
    const gate = this.#gate;
    // What was sent meanwhile is asked for at once, with what comes in this turn.
    if (gate?.due === true && !this.#closed) this.#batch.schedule(false);
  }

  #releaseOne(confirmation: Confirmation, run: Run, index: number, reply: Buffer): void {
    const { receiver, handler } = run;
    const told =
      confirmation === "confirmed" || receiver === undefined
        ? reply
        : receiver.unconfirmed(run, index, reply, confirmation);
    if (handler !== undefined) handler.reply(told);
    // What was read from a master that is lost may have been lost with it: it is read again.
    else this.#give(run, index, told, confirmation === "lost");
  }

  /** Passes on what has come of a big reply. */
  #passPart(): void {
    const run = this.#runs.first();
    if (run?.receiver === undefined || run.handler !== undefined || this.isMessage !== undefined) return;
    if (this.#gate !== undefined && (this.#gate.holding || run.writes)) return;
    if (run.receiver.rewinding) return;
    this.#partial = true;
    run.receiver.forwardPart(this.#scanner.takeEarlier());
  }

  #settle(): void {
    if (this.#touched.size === 0) return;
    const touched = [...this.#touched];
    this.#touched.clear();
    for (const receiver of touched) receiver.settle();
  }

  #fail(kind: UpstreamFailure["kind"], message: string): void {
    this.#failure ??= { kind, message };
    this.#ready = false;
    this.#socket.destroy();
    this.#close();
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const failure = this.#failure ?? { kind: "lost", message: "the server closed the connection" };
    this.#gate?.lost();
    const runs = this.#runs.takeAll();
    const firstUnsent = runs.length - this.#unsent;
    runs.forEach((run, i) => {
      const sent = i < firstUnsent;
      if (this.#partial && i === 0) run.receiver?.broken();
      else if (run.handler !== undefined) run.handler.lost(sent);
      else run.receiver?.lost(run, sent);
      if (run.receiver !== undefined) this.#touched.add(run.receiver);
    });
    for (const waiting of this.#drained.splice(0)) waiting();
    this.onClosed?.();
    this.options.onClose(this, failure);
    this.#opened?.(false);
    this.#opened = undefined;
    this.#settle();
  }
}
