import { encodeCommand } from "../resp/command-frame.ts";
import { isError } from "../resp/reply-type.ts";
import { type ReplyHandler, Run } from "./run.ts";

/** How writes are confirmed by a replica before their clients hear of them. */
export interface Durability {
  /** How long a replica may take, ms, from when the master has executed the writes. */
  readonly timeoutMs: number;
  /**
   * Whether the question may go with the writes. While the master refuses writes there is nothing to confirm, and the question would
   * only hold up what comes behind it: then it is asked once a write was executed.
   */
  readonly asksAhead: () => boolean;
  /** How many replicas must have the writes. */
  readonly needed: number;
  /** How many should have them if they can have them soon. */
  readonly wanted: () => number;
  /** So many don't have them soon: some are slow or gone, and shouldn't be waited for each time. */
  readonly missed: () => void;
  /** Takes note of an answer, or that none will come, and how long it took, s. */
  readonly observe: (outcome: Confirmation, seconds: number) => void;
}

/** What became of a question: so many replicas as must have the writes; fewer had them in time, or Redis refused to tell; the connection is gone. */
export type Confirmation = "confirmed" | "timeout" | "lost";

/** Something from the server that is held back until it is known what became of the writes before it. */
export type Held =
  | {
      readonly kind: "replies";
      readonly run: Run;
      /** Which of the run's commands the first reply belongs to. */
      readonly index: number;
      /** Replies in `bytes`; more than one only when none of them is an error. */
      count: number;
      bytes: Buffer;
    }
  | { readonly kind: "message"; readonly bytes: Buffer };

/** Questions on their way at a time on a shared connection. Redis answers nothing else meanwhile, so they bound how long it may stand still. */
const maxQuestions = 2;

/**
 * Whichever replica takes over should have the writes, so all are waited for; but no longer than this, ms. When several parts die at
 * about the same time nobody can tell which of the others has a little more.
 */
const graceMs = 50;

/**
 * Group commit on one connection: `WAIT` behind writes asks for all of them at once, and everything that the server says from the
 * first of them on is held back until the answer. `WAIT` is about the writes of its own connection, so it has to be on the same one.
 *
 * Replies come in the order of their commands. So when a write's reply comes while a question is under way, that question was sent behind
 * the write; and when its answer comes, it covers everything that is held.
 */
export class ConfirmationGate {
  readonly #durability: Durability;
  readonly #frame: Buffer;
  readonly #open: (confirmation: Confirmation, held: readonly Held[]) => void;
  /** The questions that Redis has not answered, oldest first. */
  readonly #asked: { readonly atMs: number; readonly wanted: number; answersLeft: number }[] = [];
  readonly #handler: ReplyHandler;
  #held: Held[] = [];
  /** Writes were sent behind the last question. */
  #unasked = false;
  /**
   * A write was executed on this connection. A new master refuses writes at first, and a question from before a replica has joined is
   * answered only up to a second later: Redis asks its replicas when a question comes, and not those that come after it.
   */
  #executed = false;

  /** @param open gets what was held, in order. */
  constructor(durability: Durability, open: (confirmation: Confirmation, held: readonly Held[]) => void) {
    this.#durability = durability;
    this.#frame = frameOf(durability.needed, durability.timeoutMs);
    this.#open = open;
    this.#handler = {
      reply: (bytes) => this.#answered(replicasIn(bytes)),
      // What is held is given back before.
      lost: () => undefined,
    };
  }

  get holding(): boolean {
    return this.#held.length > 0;
  }

  /** Questions that Redis has not answered. */
  get questions(): number {
    return this.#asked.length;
  }

  /** It is the gate's own question. */
  isQuestion(run: Run | undefined): boolean {
    return run !== undefined && run.handler === this.#handler;
  }

  /** Takes note of commands that were sent and may write. */
  wrote(): void {
    this.#unasked = true;
  }

  /**
   * Writes may be refused just now. A reply to a read among them must not be taken for that to a write: the question would hold up the connection,
   * and with it the refusals.
   */
  get doubtful(): boolean {
    return !this.#executed || !this.#durability.asksAhead();
  }

  /** There are writes that nobody has asked for, and it is time to. */
  get due(): boolean {
    return (
      this.#unasked && this.#executed && this.#asked.length < maxQuestions && this.#durability.asksAhead()
    );
  }

  /** The question about everything that was sent before. */
  question(): readonly Run[] {
    this.#unasked = false;
    const wanted = this.#durability.wanted();
    const answersLeft = wanted > this.#durability.needed ? 2 : 1;
    this.#asked.push({ atMs: performance.now(), wanted, answersLeft });
    const ask = (frame: Buffer): Run => Run.of(undefined, this.#handler, { pieces: [frame] }, 1);
    // Two runs: each is answered for itself, with an error, too.
    return answersLeft > 1 ? [ask(frameOf(wanted, graceMs)), ask(this.#frame)] : [ask(this.#frame)];
  }

  /** Holds a reply back; gives whether nobody has asked yet for the write that it belongs to. */
  hold(run: Run, bytes: Buffer): boolean {
    this.#executed = true;
    const last = this.#held.at(-1);
    const plain = run.handler === undefined && !isError(bytes);
    if (plain && last?.kind === "replies" && last.run === run && follows(last.bytes, bytes)) {
      last.bytes = join(last.bytes, bytes);
      last.count++;
    } else this.#held.push({ kind: "replies", run, index: run.answered, count: 1, bytes });
    return this.#asked.length === 0;
  }

  /** Holds a message back that must not overtake a reply. */
  holdMessage(bytes: Buffer): void {
    this.#held.push({ kind: "message", bytes });
  }

  /** The connection is gone: gives what was held. */
  lost(): void {
    const since = this.#asked[0]?.atMs ?? performance.now();
    this.#asked.length = 0;
    if (this.holding) this.#give("lost", since);
  }

  #answered(replicas: number): void {
    const [question] = this.#asked;
    if (question === undefined) return;
    if (--question.answersLeft > 0) {
      if (replicas < question.wanted) this.#durability.missed();
      return;
    }
    this.#asked.shift();
    this.#give(replicas >= this.#durability.needed ? "confirmed" : "timeout", question.atMs);
  }

  #give(confirmation: Confirmation, since: number): void {
    const held = this.#held;
    this.#held = [];
    this.#durability.observe(confirmation, (performance.now() - since) / 1000);
    this.#open(confirmation, held);
  }
}

/** Neighbours in the same piece of the server's bytes, and after a reply that is no error. */
function follows(before: Buffer, bytes: Buffer): boolean {
  if (isError(before) || before.buffer !== bytes.buffer) return false;
  return before.byteOffset + before.length === bytes.byteOffset;
}

function join(before: Buffer, bytes: Buffer): Buffer {
  const joined = before.buffer as ArrayBuffer;
  return Buffer.from(joined, before.byteOffset, before.length + bytes.length);
}

function frameOf(replicas: number, timeoutMs: number): Buffer {
  return encodeCommand(["WAIT", String(replicas), String(timeoutMs)]);
}

/** What WAIT has counted; anything else, an error, too, confirms nothing. */
function replicasIn(bytes: Buffer): number {
  return bytes[0] === 58 ? Number(bytes.subarray(1).toString("latin1")) : 0;
}
