import { isError } from "../resp/reply-type.ts";
import { bytesOf, type Command } from "../upstream/command.ts";
import type { Run } from "../upstream/run.ts";
import type { Lane } from "../upstream/upstream-group.ts";
import { uncertainReply, unconfirmedReply } from "./error-replies.ts";
import { cameBack, type Return } from "./fate.ts";
import { commandsOf } from "./find-commands.ts";
import type { OutputQueue } from "./output-queue.ts";
import { ReplyWindow } from "./reply-window.ts";
import type { RunSender } from "./run-reader.ts";
import type { SessionHost } from "./session-host.ts";
import { type Pending, WaitingLine } from "./waiting-line.ts";

/** Whose ledger it is. */
export interface LedgerOwner {
  /** All that had come at once was given. */
  settled(): void;
  /** Nobody knows what became of what it waited for: its connection ends behind the replies that are due. */
  cutOff(): void;
  /** Nothing can be told any more. */
  destroy(): void;
}

/**
 * What one client is owed, in order: commands whose replies are still to come, and what came back of them. It gets Redis' replies, and decides
 * what becomes of each command that gets none.
 */
export class Ledger implements RunSender {
  /** What came back, and what could go nowhere yet. */
  readonly waiting = new WaitingLine();
  readonly #host: Pick<SessionHost, "link" | "metrics" | "server">;
  readonly #output: OutputQueue;
  readonly #owner: LedgerOwner;
  readonly #window = new ReplyWindow();
  #outstanding = 0;
  #rewinding = false;
  /** The run that was looked at last. */
  #parsed: { readonly run: Run; readonly commands: readonly Command[] } | undefined;

  /** @param output gets the replies. */
  constructor(
    host: Pick<SessionHost, "link" | "metrics" | "server">,
    output: OutputQueue,
    owner: LedgerOwner,
  ) {
    this.#host = host;
    this.#output = output;
    this.#owner = owner;
  }

  /** Commands whose replies are still to come. */
  get outstanding(): number {
    return this.#outstanding;
  }

  get maxOutstanding(): number {
    return this.#window.size;
  }

  /** The shared connection that the client's simple commands go over. */
  get lane(): Lane {
    return this.#window.lane;
  }

  sent(count: number): void {
    this.#outstanding += count;
  }

  /** So many replies have come, or never will, of commands that somebody else looks at. */
  answered(count: number): void {
    this.#outstanding -= count;
  }

  forward(bytes: Buffer, count: number): void {
    this.#outstanding -= count;
    this.#window.saw(bytes.length, count);
    this.#output.add(bytes);
  }

  forwardPieces(pieces: readonly Buffer[]): void {
    this.#outstanding--;
    this.#window.saw(bytesOf(pieces), 1);
    for (const piece of pieces) this.#output.add(piece);
  }

  forwardPart(pieces: readonly Buffer[]): void {
    // Only big ones come in parts.
    this.#window.saw(Number.POSITIVE_INFINITY, 1);
    for (const piece of pieces) this.#output.add(piece);
    this.#output.flush();
  }

  get rewinding(): boolean {
    return this.#rewinding;
  }

  rewind(run: Run, index: number, reply: Buffer, rejected: boolean): void {
    this.#outstanding--;
    this.#rewinding = true;
    const command = this.#commandsOf(run)[index];
    if (command !== undefined && (rejected || command.rule.effectFree)) {
      const back = command.withAttempts(run.attempts);
      if (rejected) {
        this.giveBack({ kind: "command", command: this.refused(back), refusal: reply });
      } else this.giveBack({ kind: "command", command: back });
      this.#host.metrics.sentAgain.inc();
    } else this.giveBack({ kind: "reply", bytes: reply, executed: true });
  }

  choosesErrors(run: Run, index: number): boolean {
    return this.#commandsOf(run)[index]?.rule.choosesErrors !== false;
  }

  doubt(run: Run, index: number, reply: Buffer): (refused: boolean) => void {
    this.#rewinding = true;
    const command = this.#commandsOf(run)[index];
    return this.doubtCommand(command?.withAttempts(run.attempts), reply);
  }

  /** The command is outstanding until it is known whether it was refused. */
  doubtCommand(command: Command | undefined, reply: Buffer): (refused: boolean) => void {
    const answer: Pending = { kind: "reply", bytes: reply, executed: true };
    this.giveBack(answer);
    return (refused) => {
      this.#outstanding--;
      if (refused && command !== undefined) {
        const pending: Pending = { kind: "command", command: this.refused(command), refusal: reply };
        this.waiting.replaceReturned(answer, pending);
        this.#host.metrics.sentAgain.inc();
      }
      this.settle();
    };
  }

  mayWrite(run: Run, index: number): boolean {
    return this.#commandsOf(run)[index]?.rule.mayWrite !== false;
  }

  unconfirmed(run: Run, index: number, reply: Buffer, confirmation: "timeout" | "lost"): Buffer {
    const writes =
      run.handler === undefined
        ? this.mayWrite(run, index)
        : run.writes && run.handler.wroteNothing?.(reply) !== true;
    if (!writes || isError(reply)) return reply;
    if (run.handler?.endsUnconfirmed === true) this.#owner.cutOff();
    else this.#host.metrics.uncertain.inc();
    return unconfirmedReply[confirmation];
  }

  /** Asked for each command of a run, one after the other. */
  #commandsOf(run: Run): readonly Command[] {
    if (run.translation !== undefined) return [run.translation.original];
    if (this.#parsed?.run !== run) this.#parsed = { run, commands: commandsOf(run, this.#host.server.table) };
    return this.#parsed.commands;
  }

  lost(run: Run, sent: boolean, term: number): void {
    this.#outstanding -= run.left;
    const { attempts } = run;
    if (sent) run.translation?.lost?.();
    for (const command of this.#commandsOf(run).slice(run.answered)) {
      this.lostCommand(attempts === undefined ? command : command.withAttempts(attempts), sent, term);
    }
  }

  /** Decides what becomes of a command whose reply will never come. @param term of the master that it was sent to. */
  lostCommand(command: Command, sent: boolean, term: number): void {
    if (!sent || command.rule.effectFree) {
      this.giveBack({ kind: "command", command: returned(command, sent ? "lost" : "unsent", term) });
      if (sent) this.#host.metrics.sentAgain.inc();
    } else {
      this.giveBack({ kind: "reply", bytes: uncertainReply });
      this.#host.metrics.uncertain.inc();
    }
  }

  /** The same command, after the server has refused it. */
  refused(command: Command): Command {
    return returned(command, "refused", this.#host.link.term);
  }

  /** Puts something back to the head of what waits, in the order in which it is given back. */
  giveBack(pending: Pending): void {
    this.waiting.giveBack(pending);
  }

  /** Something was put back: replies to later commands have to wait. */
  get givenBack(): boolean {
    return this.waiting.givenBack;
  }

  /** Everything that was on its way is back, and is taken again. */
  lineUpReturned(): void {
    this.waiting.lineUpReturned();
    this.#rewinding = false;
  }

  /** Gives the client a reply, after those to commands that were put back. @param executed it may have changed something. */
  give(bytes: Buffer, executed = false): void {
    if (this.givenBack) this.giveBack({ kind: "reply", bytes, executed });
    else this.#output.add(bytes);
  }

  /** Gives the client what Redis tells it even when it wants no replies, after those to commands that were put back. */
  tell(bytes: Buffer): void {
    if (this.givenBack) this.giveBack({ kind: "reply", bytes, executed: false });
    else this.#output.push(bytes);
  }

  /** What is first gets a reply instead of being sent, unless that is another command. Gives whether it does. */
  expireFirst(command: Command, bytes: Buffer): boolean {
    const { first } = this.waiting;
    if (first?.kind !== "command" || first.command.pieces !== command.pieces) return false;
    this.waiting.replaceFirst({ kind: "reply", bytes });
    return true;
  }

  broken(): void {
    this.#owner.destroy();
  }

  settle(): void {
    // It keeps the bytes of the run in memory.
    this.#parsed = undefined;
    this.#owner.settled();
  }
}

/** The same command, and that it came back. */
function returned(command: Command, how: Return, term: number): Command {
  return command.withAttempts(cameBack(command.attempts, how, { nowMs: performance.now(), term }));
}
