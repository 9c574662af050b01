import type { Attempts, Command } from "./command.ts";

/** Who gets the replies to a {@link Run}. */
export interface ReplyReceiver {
  /** Whole replies that follow each other, to `count` commands. */
  forward(bytes: Buffer, count: number): void;
  /** One whole reply that has come in pieces. */
  forwardPieces(pieces: readonly Buffer[]): void;
  /** A part of one reply that is too big to be kept until it is complete. */
  forwardPart(pieces: readonly Buffer[]): void;
  /**
   * A reply that says that the command was not executed because of a failover, or one that comes after such a reply.
   *
   * @param index which of the run's commands it belongs to.
   */
  rewind(run: Run, index: number, reply: Buffer, rejected: boolean): void;
  /** Whether what one of the run's commands is answered is made up by a program; asked only of an error that looks like a refusal. */
  choosesErrors(run: Run, index: number): boolean;
  /**
   * A reply looks like a refusal, and may be none: what comes behind it waits until that is known.
   *
   * @returns to be called once, with whether the command was refused.
   */
  doubt(run: Run, index: number, reply: Buffer): (refused: boolean) => void;
  /** Whether one of the run's commands may have written something; asked where it isn't enough that the run as a whole may. */
  mayWrite(run: Run, index: number): boolean;
  /** What this one is told instead of the reply to one of the run's commands, which no replica has confirmed; a command that writes nothing keeps it. */
  unconfirmed(run: Run, index: number, reply: Buffer, confirmation: "timeout" | "lost"): Buffer;
  /** Replies to earlier commands came back with {@link rewind}: what comes now has to wait for them. */
  readonly rewinding: boolean;
  /**
   * The connection was lost.
   *
   * @param sent whether any byte of the run may have reached the server.
   * @param term of the master that the connection led to.
   */
  lost(run: Run, sent: boolean, term: number): void;
  /** The connection was lost after a part of a reply was passed on: nothing can repair that. */
  broken(): void;
  /** All replies of one piece of the server's bytes, or all losses of one connection, were handed out. */
  settle(): void;
}

/** What to do with the reply to a single command that the proxy itself looks at. */
export interface ReplyHandler {
  reply(bytes: Buffer): void;
  lost(sent: boolean, term: number): void;
  /** Whether a reply that is no error says that nothing was written all the same. Default: none does. */
  wroteNothing?(bytes: Buffer): boolean;
  /** A reply that no replica has confirmed is never given: the client's connection ends. */
  readonly endsUnconfirmed?: true;
}

/** What stands between a client's command and what is sent for it. */
export interface Translation {
  /** The client's command: that one is sent again. */
  readonly original: Command;
  /** What the client is told; asked once for each reply, of a very big one with its first part. */
  answered(reply: Buffer): Buffer;
  /** It was sent, and its reply will never come. */
  lost?(): void;
}

/** Commands in flight on one upstream that stood next to each other in one client's bytes. */
export class Run {
  readonly receiver: ReplyReceiver | undefined;
  readonly handler: ReplyHandler | undefined;
  readonly earlier: readonly Buffer[] | undefined;
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
  /** Some of it may change data. */
  readonly writes: boolean;
  /** Of a single command that was sent before. */
  attempts: Attempts | undefined = undefined;
  /** Of a single command that isn't sent, or whose reply isn't given, as it is. */
  translation: Translation | undefined = undefined;
  /** Commands that are not answered yet. */
  left: number;
  /** Commands that are answered. */
  answered = 0;

  constructor(
    receiver: ReplyReceiver | undefined,
    handler: ReplyHandler | undefined,
    earlier: readonly Buffer[] | undefined,
    buffer: Buffer,
    start: number,
    end: number,
    count: number,
    writes: boolean,
  ) {
    this.receiver = receiver;
    this.handler = handler;
    this.earlier = earlier;
    this.buffer = buffer;
    this.start = start;
    this.end = end;
    this.left = count;
    this.writes = writes;
  }

  /** A single command. @param replies how many answers it gets. @param writes it may change data. */
  static of(
    receiver: ReplyReceiver | undefined,
    handler: ReplyHandler | undefined,
    { pieces, attempts }: Pick<Command, "pieces"> & Partial<Pick<Command, "attempts">>,
    replies: number,
    writes = false,
  ): Run {
    const last = pieces.at(-1) ?? Buffer.alloc(0);
    const earlier = pieces.length > 1 ? pieces.slice(0, -1) : undefined;
    const run = new Run(receiver, handler, earlier, last, 0, last.length, replies, writes);
    run.attempts = attempts;
    return run;
  }
}
