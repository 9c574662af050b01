import { ReplyScanner } from "../resp/reply-scanner.ts";
import { errorType, isError } from "../resp/reply-type.ts";
import { type Confirmation, ConfirmationGate, type Durability, type Held } from "./confirmation-gate.ts";
import type { Rejection } from "./rejection.ts";
import type { ReplyReceiver, Run } from "./run.ts";
import type { RunQueue } from "./run-queue.ts";
import { inServersWords } from "./server-words.ts";
import { splitReplies } from "./split-replies.ts";

/** The connection whose replies are given out. */
export interface ReplyRouterHost {
  /** Why a reply means that its command has to be sent again; undefined: it is the client's. */
  rejects(reply: Buffer): Rejection | undefined;
  /** Whether a reply has the words with which Redis refuses a command. */
  looksLikeRejection(reply: Buffer): boolean;
  /** Finds out whether this Redis is in the state that the reply speaks of. */
  prove(reply: Buffer, done: (rejection: Rejection | undefined) => void): void;
  /** A reply said that this is no master that works. */
  reject(rejection: Rejection): void;
  /** The server's bytes make no sense. */
  fail(message: string): void;
  /** Sends a question of the gate's own. */
  send(question: Run): void;
  /** Something is to be asked with what is sent in this turn. */
  schedule(): void;
}

/** A reply bigger than this is passed on before it is complete; a loss in its middle costs the client's connection. */
const keepReplyUpTo = 4 * 2 ** 20;

/** Gives each reply of one connection to the run that it belongs to: they come in the order in which the runs were sent. */
export class ReplyRouter {
  /** Holds back what follows writes that no replica has confirmed; undefined: nothing is held back. */
  readonly gate: ConfirmationGate | undefined;
  readonly #host: ReplyRouterHost;
  readonly #runs: RunQueue;
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
    this.gate =
      durability &&
      new ConfirmationGate(durability, (confirmation, held) => this.#release(confirmation, held));
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
    const { gate } = this;
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
      this.#host.fail(error instanceof Error ? error.message : String(error));
    }
    this.settle();
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
      this.#host.fail("the server sent a reply that nobody asked for");
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
    let rejection: Rejection | undefined;
    if (isError(bytes) && this.#host.looksLikeRejection(bytes)) {
      if (!receiver.choosesErrors(run, index)) rejection = this.#host.rejects(bytes);
      else if (inServersWords(bytes) !== undefined) {
        this.#doubt(receiver, run, index, bytes);
        return;
      }
    }
    if (rejection !== undefined) {
      receiver.rewind(run, index, bytes, true);
      this.#host.reject(rejection);
      return;
    }
    const told = run.translation?.answered(bytes) ?? bytes;
    if (receiver.rewinding || again) receiver.rewind(run, index, told, false);
    else receiver.forward(told, 1);
  }

  /** The words are those of Redis, but a program could have said them after it had changed something. */
  #doubt(receiver: ReplyReceiver, run: Run, index: number, bytes: Buffer): void {
    const decide = receiver.doubt(run, index, bytes);
    this.#host.prove(bytes, (rejection) => {
      if (rejection !== undefined) this.#host.reject(rejection);
      decide(rejection !== undefined);
    });
  }

  /** Whether what has come now waits for a replica's confirmation. An error is none of something that could be lost. */
  #isHeld(gate: ConfirmationGate, run: Run | undefined): boolean {
    if (gate.isQuestion(run) && !this.#isMessage()) return false;
    if (gate.holding) return !this.#partial;
    if (run?.writes !== true || this.#scanner.type === errorType || this.#isMessage()) return false;
    const { receiver, handler } = run;
    const looksCloser = gate.doubtful && handler === undefined && receiver !== undefined;
    return looksCloser ? receiver.mayWrite(run, run.answered) : true;
  }

  /** @param bytes what has come now, where it has been put together already. */
  #isMessage(bytes?: Buffer): boolean {
    if (this.#tellsApart === undefined) return this.#scanner.type === 62;
    return this.#tellsApart(bytes ?? this.#bytes());
  }

  /** Gives a message to the client of this connection. */
  #tell(message: Buffer): void {
    this.#onMessage?.(message);
    if (this.#owner !== undefined) this.#touched.add(this.#owner);
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
    else if (run === undefined) this.#host.fail("the server sent a reply that nobody asked for");
    else {
      const nobodyAsked = gate.hold(run, bytes);
      this.#answered(run);
      if (nobodyAsked) for (const question of gate.question()) this.#host.send(question);
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
        run.translation === undefined &&
        !isError(bytes) &&
        receiver?.rewinding === false
      ) {
        receiver.forward(bytes, count);
        continue;
      }
      for (const [i, reply] of splitReplies(bytes).entries())
        this.#releaseOne(confirmation, run, index + i, reply);
    }
    const { gate } = this;
    // What was sent meanwhile is asked for at once, with what comes in this turn.
    if (gate?.due === true && !this.#closed) this.#host.schedule();
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
    if (run?.receiver === undefined || run.handler !== undefined || this.#tellsApart !== undefined) return;
    if (this.gate !== undefined && (this.gate.holding || run.writes)) return;
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
    this.gate?.lost();
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

  /** Tells those who were given something that it is all for now. */
  settle(): void {
    if (this.#touched.size === 0) return;
    const touched = [...this.#touched];
    this.#touched.clear();
    for (const receiver of touched) receiver.settle();
  }
}
