import { errorType, isError } from "../resp/reply-type.ts";
import { type Confirmation, ConfirmationGate, type Durability, type Held } from "./confirmation-gate.ts";
import type { ReplyReceiver, Run } from "./run.ts";
import { splitReplies } from "./split-replies.ts";

/** Where replies come from and go to. */
export interface ReplySource {
  /** The first byte of what has come now. */
  readonly type: number;
  /** A client has got a part of a reply, and nothing else may come before the rest. */
  readonly inPart: boolean;
  /** The connection is gone. */
  readonly closed: boolean;
  /** What has come now, in one piece. */
  bytes(): Buffer;
  /** Whether what has come now is no reply. @param bytes it, where it has been put together already. */
  isMessage(bytes?: Buffer): boolean;
  /** Takes note that one of a run's commands is answered. */
  answered(run: Run): void;
  /** Gives one reply to whom it belongs. @param again one without an effect is asked for again. */
  give(run: Run, index: number, bytes: Buffer, again?: boolean): void;
  /** Gives a message to the client of this connection. */
  tell(message: Buffer): void;
  /** This one was given something: it is told when that is all for now. */
  touch(receiver: ReplyReceiver): void;
}

/** What a connection does for those who hand out its replies. */
export interface Connection {
  /** The server's bytes make no sense. */
  fail(message: string): void;
  /** Sends a question of the gate's own. */
  send(question: Run): void;
  /** Something is to be asked with what is sent in this turn. */
  schedule(): void;
}

/** With `redis:durability sync` it stands between a connection's replies and those who get them: what follows a write waits for a replica. */
export class HeldReplies {
  readonly gate: ConfirmationGate;
  readonly #router: ReplySource;
  readonly #host: Connection;

  constructor(durability: Durability, router: ReplySource, host: Connection) {
    this.#router = router;
    this.#host = host;
    this.gate = new ConfirmationGate(durability, (confirmation, held) => this.#release(confirmation, held));
  }

  /** Whether what has come now waits for a replica's confirmation. An error is none of something that could be lost. */
  holds(run: Run | undefined): boolean {
    const { gate } = this;
    const router = this.#router;
    if (gate.isQuestion(run) && !router.isMessage()) return false;
    if (gate.holding) return !router.inPart;
    if (run?.writes !== true || router.type === errorType || router.isMessage()) return false;
    const { receiver, handler } = run;
    const looksCloser = gate.doubtful && handler === undefined && receiver !== undefined;
    return looksCloser ? receiver.mayWrite(run, run.answered) : true;
  }

  /** Holds it back. */
  hold(run: Run | undefined): void {
    const { gate } = this;
    const router = this.#router;
    const bytes = router.bytes();
    if (router.isMessage(bytes)) gate.holdMessage(bytes);
    else if (run === undefined) this.#host.fail("the server sent a reply that nobody asked for");
    else {
      const nobodyAsked = gate.hold(run, bytes);
      router.answered(run);
      if (nobodyAsked) for (const question of gate.question()) this.#host.send(question);
    }
  }

  /** Gives what was held back: as it came, or with the writes' replies replaced. */
  #release(confirmation: Confirmation, held: readonly Held[]): void {
    const router = this.#router;
    for (const item of held) {
      if (item.kind === "message") {
        router.tell(item.bytes);
        continue;
      }
      const { run, index, count, bytes } = item;
      const { receiver, handler } = run;
      if (receiver !== undefined) router.touch(receiver);
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
    // What was sent meanwhile is asked for at once, with what comes in this turn.
    if (this.gate.due && !router.closed) this.#host.schedule();
  }

  #releaseOne(confirmation: Confirmation, run: Run, index: number, reply: Buffer): void {
    const { receiver, handler } = run;
    const told =
      confirmation === "confirmed" || receiver === undefined
        ? reply
        : receiver.unconfirmed(run, index, reply, confirmation);
    if (handler !== undefined) handler.reply(told);
    // What was read from a master that is lost may have been lost with it: it is read again.
    else this.#router.give(run, index, told, confirmation === "lost");
  }
}
