import { ReplyScanner } from "../resp/reply-scanner.ts";
import { errorType, isError } from "../resp/reply-type.ts";
import type { ConfirmationGate, Durability } from "./confirmation-gate.ts";
import { giveReply, type RefusalJudge } from "./give-reply.ts";
import { type Connection, HeldReplies, type ReplySource } from "./held-replies.ts";
import type { ReplyReceiver, Run } from "./run.ts";
import type { RunQueue } from "./run-queue.ts";

/** The connection whose replies are given out. */
export interface ReplyRouterHost extends RefusalJudge, Connection {}

/** A reply bigger than this is passed on before it is complete; a loss in its middle costs the client's connection. */
const keepReplyUpTo = 4 * 2 ** 20;

/** Gives each reply of one connection to the run that it belongs to: they come in the order in which the runs were sent. */
export class ReplyRouter implements ReplySource {
  readonly #host: ReplyRouterHost;
  readonly #runs: RunQueue;
  /** Undefined: nothing waits for replicas. */
  readonly #held: HeldReplies | undefined;
  readonly #scanner = new ReplyScanner();
  readonly #touched = new Set<ReplyReceiver>();
  #owner: ReplyReceiver | undefined;
  #onMessage: ((frame: Buffer) => void) | undefined;
  #tellsApart: ((frame: Buffer) => boolean) | undefined;
  #partial = false;
  #closed = false;

  /** @param runs those in flight; each leaves with its last reply. */
  constructor(runs: RunQueue, durability: Durability | undefined, host: ReplyRouterHost) {
    this.#runs = runs;
    this.#host = host;
    this.#held = durability && new HeldReplies(durability, this, host);
  }

  /** Holds back what follows writes that no replica has confirmed; undefined: nothing is held back. */
  get gate(): ConfirmationGate | undefined {
    return this.#held?.gate;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The only client of this connection, while it has one. */
  get owner(): ReplyReceiver | undefined {
    return this.#owner;
  }

  /** The connection is a single client's. @param onMessage gets what is no reply. */
  giveTo(owner: ReplyReceiver, onMessage: (frame: Buffer) => void): void {
    this.#owner = owner;
    this.#onMessage = onMessage;
  }

  /** The connection is nobody's. */
  takeBack(): void {
    this.#owner = this.#onMessage = this.#tellsApart = undefined;
  }

  /** From now on this says whether a frame is a message, rather than the reply that the oldest run waits for. */
  tellApart(isMessage: (frame: Buffer) => boolean): void {
    this.#tellsApart = isMessage;
  }

  /** A client has got a part of a reply, and nothing else may come before the rest. */
  get inPart(): boolean {
    return this.#partial;
  }

  /** Takes the next piece of the server's bytes. */
  receive(piece: Buffer): void {
    const scanner = this.#scanner;
    const held = this.#held;
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
        if (held?.holds(run) === true) {
          flush();
          held.hold(run);
          continue;
        }
        const whoGetsIt = run?.receiver;
        if (
          run !== undefined &&
          whoGetsIt !== undefined &&
          run.handler === undefined &&
          run.translation === undefined &&
          scanner.type !== errorType &&
          scanner.type !== 62 &&
          this.#tellsApart === undefined &&
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
          this.answered(run);
          continue;
        }
        flush();
        this.#slow(run);
      }
      flush();
      if (!this.#closed && scanner.earlierBytes > keepReplyUpTo) this.#passPart();
    } catch (error) {
      flush();
      this.#host.fail(error instanceof Error ? error.message : String(error));
    }
    this.settle();
  }

  get type(): number {
    return this.#scanner.type;
  }

  answered(run: Run): void {
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
      this.answered(run);
      run.receiver.forward(buffer.subarray(start, end), 1);
      return;
    }
    const bytes = this.bytes();
    if (this.isMessage(bytes)) {
      this.tell(bytes);
      return;
    }
    if (run === undefined) {
      this.#host.fail("the server sent a reply that nobody asked for");
      return;
    }
    if (run.handler !== undefined) {
      // An error is the only answer, however many confirmations there would have been.
      if (isError(bytes)) run.left = 1;
      this.answered(run);
      if (run.receiver !== undefined) this.#touched.add(run.receiver);
      run.handler.reply(bytes);
      return;
    }
    const index = run.answered;
    this.answered(run);
    this.give(run, index, bytes);
  }

  give(run: Run, index: number, bytes: Buffer, again = false): void {
    const { receiver } = run;
    // Without one the client has gone.
    if (receiver === undefined) return;
    this.#touched.add(receiver);
    giveReply(this.#host, receiver, { run, index, bytes, again });
  }

  isMessage(bytes?: Buffer): boolean {
    if (this.#tellsApart === undefined) return this.#scanner.type === 62;
    return this.#tellsApart(bytes ?? this.bytes());
  }

  /** Gives a message to the client of this connection. */
  tell(message: Buffer): void {
    this.#onMessage?.(message);
    if (this.#owner !== undefined) this.#touched.add(this.#owner);
  }

  bytes(): Buffer {
    const { buffer, start, end, earlier } = this.#scanner;
    const last = buffer.subarray(start, end);
    return earlier === undefined ? last : Buffer.concat([...earlier, last]);
  }

  /** Passes on what has come of a big reply. */
  #passPart(): void {
    const run = this.#runs.first();
    if (run?.receiver === undefined || run.handler !== undefined || this.#tellsApart !== undefined) return;
    if (this.#held !== undefined && (this.#held.gate.holding || run.writes)) return;
    if (run.receiver.rewinding) return;
    const pieces = this.#scanner.takeEarlier();
    const { translation } = run;
    const translate = translation !== undefined && !this.#partial;
    this.#partial = true;
    run.receiver.forwardPart(translate ? [translation.answered(Buffer.concat(pieces))] : pieces);
  }

  /**
   * The connection is gone: hands back what is in flight.
   *
   * @param unsent the last of the runs, of which not a byte has left.
   * @param term of the master that it led to.
   */
  handBack(unsent: number, term: number): void {
    this.#closed = true;
    this.#held?.gate.lost();
    const runs = this.#runs.takeAll();
    const firstUnsent = runs.length - unsent;
    runs.forEach((run, i) => {
      const sent = i < firstUnsent;
      if (this.#partial && i === 0) run.receiver?.broken();
      else if (run.handler !== undefined) run.handler.lost(sent, term);
      else run.receiver?.lost(run, sent, term);
      if (run.receiver !== undefined) this.#touched.add(run.receiver);
    });
  }

  touch(receiver: ReplyReceiver): void {
    this.#touched.add(receiver);
  }

  /** Tells those who were given something that it is all for now. */
  settle(): void {
    if (this.#touched.size === 0) return;
    const touched = [...this.#touched];
    this.#touched.clear();
    for (const receiver of touched) receiver.settle();
  }
}
