import type { Socket } from "node:net";
import { afterSocketsWereRead } from "../../runtime/after-sockets-were-read.ts";
import { connectSocket } from "../../runtime/tls-files.ts";
import { encodeCommand } from "../resp/command-frame.ts";
import type { Command } from "./command.ts";
import type { ConfirmationGate } from "./confirmation-gate.ts";
import { shakeHands } from "./handshake.ts";
import { type Rejection, rejectionOf } from "./rejection.ts";
import { ReplyRouter } from "./reply-router.ts";
import { type ReplyHandler, Run } from "./run.ts";
import { RunQueue } from "./run-queue.ts";
import type { ServerProcess } from "./server-process.ts";
import type { UpstreamFailure, UpstreamOptions } from "./upstream-options.ts";
import { WriteBatch } from "./write-batch.ts";

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
  /** Who gets what the server says. */
  readonly replies: ReplyRouter;
  /** When something came last, or when something was sent after nothing was in flight; ms of the monotonic clock. */
  quietSince = performance.now();
  readonly #socket: Socket;
  readonly #batch: WriteBatch;
  readonly #runs = new RunQueue();
  readonly #drained: (() => void)[] = [];
  #process: ServerProcess | undefined;
  #onClosed: (() => void) | undefined;
  #onReplaced: (() => void) | undefined;
  #unsent = 0;
  #ready = false;
  #wasReady = false;
  #closed = false;
  #endsWhenIdle = false;
  #failure: UpstreamFailure | undefined;
  #opened: ((ready: boolean) => void) | undefined;

  constructor(options: UpstreamOptions) {
    this.options = options;
    const socket = connectSocket(options.address, options.tls);
    this.#socket = socket;
    this.replies = new ReplyRouter(this.#runs, options.durability, {
      rejects: options.rejects,
      looksLikeRejection: (reply) => rejectionOf(reply) !== undefined,
      prove: options.prove,
      reject: (rejection) => options.onRejection(rejection),
      fail: (message) => this.#fail("lost", message),
      send: (question) => this.send(question),
      schedule: () => this.#batch.schedule(false),
    });
    this.#batch = new WriteBatch(socket, () => {
      const { gate } = this.replies;
      if (gate?.due === true) this.#addQuestion(gate);
      this.#unsent = 0;
    });
    const tooLate = (): void => {
      if (!this.#ready) this.#fail("unreachable", `no answer within ${options.connectTimeoutMs} ms`);
    };
    const timer = setTimeout(() => afterSocketsWereRead(tooLate), options.connectTimeoutMs);
    socket.on("data", (piece: Buffer) => this.#receive(piece));
    let connected = false;
    socket.once("connect", () => {
      connected = true;
    });
    socket.once("error", ({ message }) =>
      this.#fail(this.#ready ? "lost" : connected ? "closed" : "unreachable", message),
    );
    socket.once("close", () => {
      clearTimeout(timer);
      this.#close();
    });
    shakeHands(options, {
      ask: (args, handler) => this.ask(args, handler),
      fail: (kind, message) => this.#fail(kind, message),
      done: () => {
        clearTimeout(timer);
        this.#ready = this.#wasReady = true;
        this.#opened?.(true);
        this.#opened = undefined;
      },
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

  /** It has been ready, perhaps isn't any more. */
  get wasReady(): boolean {
    return this.#wasReady;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The server's process, as soon as it was asked for. */
  get process(): ServerProcess | undefined {
    return this.#process;
  }

  /** @param process undefined: it is to be asked for again. */
  leadsTo(process: ServerProcess | undefined): void {
    this.#process = process;
  }

  /** Calls back when it is closed, after everything in flight was handed back; undefined: nobody any more. */
  onceClosed(callback: (() => void) | undefined): void {
    this.#onClosed = callback;
  }

  /** While somebody is to be told that another master has replaced this one, the connection stays for a moment then: to hear what becomes of its command. */
  staysWhenReplaced(callback: (() => void) | undefined): void {
    this.#onReplaced = callback;
  }

  /** Another master has replaced this one. Gives whether the connection stays for a moment. */
  replaced(): boolean {
    this.#onReplaced?.();
    return this.#onReplaced !== undefined;
  }

  /** Scripts that clients may rely on are perhaps not in the server's process. */
  get scriptsMissing(): boolean {
    return this.options.scripts.missingIn(this.#process);
  }

  /** Runs that wait for replies. */
  get inFlight(): number {
    return this.#runs.length;
  }

  /** Redis has been asked whether a replica has the writes, and answers nothing else before. */
  get confirming(): boolean {
    return (this.replies.gate?.questions ?? 0) > 0;
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
    const { gate, owner } = this.replies;
    if (!run.writes || gate === undefined) return;
    gate.wrote();
    // A client's own connection has states between its commands: the question goes nowhere but behind the write.
    if (owner !== undefined) {
      this.ask(["PING"], offsetMark);
      this.#addQuestion(gate);
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

  /** The same with a command's own bytes. */
  askFrame(frame: Pick<Command, "pieces">, handler: ReplyHandler): void {
    this.send(Run.of(undefined, handler, frame, 1));
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
    this.options.onRejection(rejection);
  }

  /** Ends it: what is in flight is handed back as lost. */
  destroy(reason = "not needed any more"): void {
    this.#fail("retired", reason);
  }

  #receive(piece: Buffer): void {
    this.quietSince = performance.now();
    this.replies.receive(piece);
    if (this.#endsWhenIdle && this.#runs.length === 0) this.destroy();
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
    const kind = this.#ready ? "lost" : "closed";
    const failure = this.#failure ?? { kind, message: "the server closed the connection" };
    this.replies.handBack(this.#unsent, this.options.term);
    for (const waiting of this.#drained.splice(0)) waiting();
    this.#onClosed?.();
    this.options.onClose(failure);
    this.#opened?.(false);
    this.#opened = undefined;
    this.replies.settle();
  }
}
