import { ProtocolError } from "../../runtime/protocol-error.ts";
import { encodeError } from "../resp/encode-reply.ts";
import type { Attempts, Command } from "../upstream/command.ts";
import type { OpenRetries } from "../upstream/open-retries.ts";
import { Run } from "../upstream/run.ts";
import type { Upstream } from "../upstream/upstream.ts";
import type { ClientInput } from "./client-input.ts";
import type { Endpoint } from "./endpoint.ts";
import {
  givenUpReply,
  noAuthReply,
  noConnectionReply,
  noMasterReply,
  subscribedReply,
} from "./error-replies.ts";
import { fateOf } from "./fate.ts";
import { ruleOf } from "./find-commands.ts";
import { answerLocally } from "./local-commands.ts";
import { prepared } from "./prepare.ts";
import { refusalOf } from "./refusal.ts";
import { ReplyMode } from "./reply-mode.ts";
import { bigCommandBytes, RunReader } from "./run-reader.ts";
import { translate } from "./translate.ts";

/**
 * Takes one client's commands in order: what is stateless goes over the shared connection, what isn't over one of its
 * own, and what can't go anywhere just now waits, with all that comes behind it.
 */
export class CommandFlow {
  readonly reader: RunReader;
  readonly replyMode: ReplyMode;
  readonly #session: Endpoint;
  readonly #input: ClientInput;
  #lastShared: Upstream | undefined;
  /** What is under way is a suspect, which has its turn. */
  #alone = false;
  #sharedLost = false;
  #held = false;
  /** Since when what is first waits for a connection although there is a master, ms of the monotonic clock. */
  #connectionSince: number | undefined;
  #inTurn = false;
  #again = false;

  constructor(session: Endpoint, input: ClientInput) {
    this.#session = session;
    this.#input = input;
    this.replyMode = new ReplyMode(session.output);
    this.reader = new RunReader(
      session.host.server,
      session.group().denied === undefined,
      session.host.limits,
    );
  }

  /** What comes now has to wait. Something may be kept though nothing waits: then it has its turn before what comes now. */
  get blocked(): boolean {
    return (
      this.#session.busy || !this.#session.ledger.waiting.empty || this.reader.hasMore || !this.#input.empty
    );
  }

  /** Nothing of the client is left to be taken. */
  get idle(): boolean {
    return this.#session.ledger.waiting.empty && this.#input.empty && !this.reader.hasMore;
  }

  /** A shared connection that this client has used was lost since {@link forgetLosses}. */
  get sharedLost(): boolean {
    return this.#sharedLost || this.#lastShared?.ready === false;
  }

  forgetLosses(): void {
    this.#sharedLost = false;
    this.#lastShared = undefined;
  }

  /** What is first had to wait for a master, and wasn't sent since. */
  get held(): boolean {
    return this.#held;
  }

  hold(): void {
    this.#held = true;
  }

  /** What is first waits for a connection, no longer. */
  connected(): void {
    this.#connectionSince = undefined;
  }

  awaitsConnection(): void {
    this.#connectionSince ??= performance.now();
  }

  /**
   * What is first has waited for a connection for as long as a client is held, or everybody has for so long that nothing is held any more.
   *
   * @returns its answer; undefined: it may go on waiting.
   */
  connectionRefusal(retries: OpenRetries, problem: string | undefined): Buffer | undefined {
    const { holdTimeoutMs } = this.#session.host.link;
    const waitedMs = performance.now() - (this.#connectionSince ?? Number.POSITIVE_INFINITY);
    const late = waitedMs > holdTimeoutMs || (retries.failingMs > holdTimeoutMs && retries.resting);
    if (!late) return undefined;
    return noConnectionReply(problem);
  }

  /** Forgets everything that was not sent yet. */
  drop(): void {
    this.#session.ledger.waiting.drop();
    this.reader.stop();
    this.#input.drop();
  }

  /** Takes commands as long as there are some that can go somewhere. */
  turn(): void {
    if (this.#inTurn || this.#session.ended) {
      this.#again = this.#inTurn;
      return;
    }
    this.#inTurn = true;
    try {
      do {
        this.#again = false;
        while (this.#step());
        // A connection that was there at once has woken it in the middle of a step.
      } while (this.#again);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#session.host.metrics.protocolErrors.inc();
      this.drop();
      this.#session.fail(encodeError(`ERR Protocol error: ${error.message}`));
    } finally {
      this.#inTurn = false;
    }
  }

  /** One step; false when nothing can go on just now. */
  #step(): boolean {
    const session = this.#session;
    const { replyMode, reader } = this;
    const { waiting } = session.ledger;
    if (session.busy || session.ended) return false;
    if (this.#alone && !this.#leaveAlone()) return false;
    if (waiting.givenBack) {
      if (session.ledger.outstanding > 0) return false;
      session.ledger.lineUpReturned();
    }
    if (!replyMode.mayGoOn(session.ledger.outstanding)) return false;
    if (session.ownConnection?.restored() === false) return false;
    const { first } = waiting;
    if (first?.kind === "command" && session.leaving && !session.following) {
      this.drop();
      return false;
    }
    if (first?.kind === "reply") {
      if (session.ledger.outstanding > 0) return false;
      session.output.add(first.bytes);
      waiting.removeFirst();
      return true;
    }
    if (first !== undefined) {
      waiting.removeFirst();
      const { skipsNext } = replyMode;
      if (this.#take(first.command, first.refusal)) {
        this.#held = false;
        this.#connectionSince = undefined;
        if (first.command.attempts !== undefined && !this.#alone) session.host.link.suspects.leave(session);
        if (skipsNext) replyMode.skipped();
        return true;
      }
      // Whoever took it may have put something before it.
      waiting.putFirst(first);
      return false;
    }
    if (reader.hasMore) return this.#read();
    const piece = this.#input.next();
    if (piece === undefined) return false;
    reader.push(piece);
    return true;
  }

  /** Sends on what is simple; false when it stopped because too much is under way. */
  #read(): boolean {
    const session = this.#session;
    if (session.ledger.outstanding >= session.ledger.maxOutstanding) return false;
    // Replies that nobody reads must not pile up, as long as it is enough that commands do.
    if (session.output.full && !this.#input.crowded) return false;
    const upstream = this.replyMode.counts ? undefined : this.#linkForRuns();
    const command = this.reader.read(session.ledger, session.host.server, upstream);
    if (command !== undefined) {
      this.#session.ledger.waiting.append({ kind: "command", command });
      return true;
    }
    const input = this.#input;
    if (upstream !== undefined && !input.congested && upstream.backlogBytes > session.host.limits.heldBytes) {
      input.congest(true);
      upstream.onceDrained(() => {
        input.congest(false);
        session.readAgain();
      });
    }
    return !this.reader.hasMore;
  }

  /** The connection for simple commands, when they can go now without another look. */
  #linkForRuns(): Upstream | undefined {
    const own = this.#session.ownConnection;
    return own?.active === true ? own.plainUpstream : this.#sharedUpstream(false);
  }

  #sharedUpstream(wait: boolean): Upstream | undefined {
    const session = this.#session;
    if (!session.following) {
      if (wait) session.waitForMaster();
      return undefined;
    }
    const group = session.group();
    const upstream = wait ? group.shared(session, session.ledger.lane) : group.current(session.ledger.lane);
    if (upstream === undefined) {
      if (wait) this.awaitsConnection();
      return undefined;
    }
    // Replies of another connection could come after those of this one.
    if (upstream !== this.#lastShared && session.ledger.outstanding > 0) return undefined;
    if (upstream !== this.#lastShared) {
      // To look for a connection is enough to get another one: what became of the last must not be forgotten by that.
      if (this.#lastShared?.ready === false) this.#sharedLost = true;
      this.#lastShared = upstream;
    }
    if (!session.identity.authorized) session.become({ authorized: true });
    return upstream;
  }

  /** Nothing goes behind a suspect, since it could be the cause, too. False while it is under way. */
  #leaveAlone(): boolean {
    if (this.#session.ledger.outstanding > 0) return false;
    this.#alone = false;
    this.#session.host.link.suspects.leave(this.#session);
    return true;
  }

  /**
   * Brings one command to where it belongs; false when it has to wait.
   *
   * @param refusal what the server has said when it refused it last.
   */
  #take(command: Command, refusedWith?: Buffer): boolean {
    const session = this.#session;
    const rule = ruleOf(command, session.host.server.table);
    const known = command.withRule(rule);
    if (session.leaving && waitsForOthers(known) && session.ownConnection?.inTransaction !== true) {
      // Redis would see its client's end before anybody could serve it; what comes behind it is never reached.
      this.drop();
      return true;
    }
    const refusal = refusalOf(known);
    if (refusal !== undefined) {
      if (session.ledger.outstanding > 0) return false;
      session.ownConnection?.refuseInTransaction();
      session.answer(refusal.reply);
      if (refusal.ends) session.end();
      return true;
    }
    const transaction = session.ownConnection?.inTransaction === true;
    if (rule.route === "local" && (!transaction || rule.name === "quit" || rule.name === "reset")) {
      if (session.ledger.outstanding > 0) return false;
      const endsIt = rule.name === "quit" || rule.name === "reset";
      if (session.identity.protocol === 2 && session.ownConnection?.subscribed === true && !endsIt) {
        session.answer(subscribedReply(rule.name));
        return true;
      }
      return answerLocally(session, known);
    }
    if (session.host.link.state === "circuitOpen" && session.ledger.outstanding === 0) {
      session.ownConnection?.abandon();
      session.refuse(noMasterReply);
      return true;
    }
    if (known.attempts !== undefined && session.following) {
      const { term, holdTimeoutMs } = session.host.link;
      const fate = fateOf(rule, known.attempts, { nowMs: performance.now(), term, holdTimeoutMs });
      if (fate === "againAlone") return this.#takeAlone(known, known.attempts);
      if (fate !== "again") return this.#giveUp(fate, refusedWith);
    }
    const own = rule.route !== "shared" || known.size > bigCommandBytes;
    if (own || session.ownConnection?.active === true) {
      return session.group().denied === undefined ? session.pinned.take(known) : this.#refuseAccess();
    }
    const upstream = this.#sharedUpstream(true);
    if (upstream === undefined) return this.#refuseAccess();
    if (rule.ofProcess !== undefined && !prepared(session, upstream, [known])) return false;
    const translated = translate(known, upstream, session.host.redirects);
    const { pieces } = translated?.wire ?? known;
    const run = Run.of(session.ledger, undefined, { pieces, attempts: known.attempts }, 1, rule.mayWrite);
    run.translation = translated?.translation;
    session.ledger.sent(1);
    upstream.send(run);
    return true;
  }

  /** Sends a suspect when it is its turn, and alone. */
  #takeAlone(command: Command, attempts: Attempts): boolean {
    const session = this.#session;
    if (session.ledger.outstanding > 0) return false;
    if (session.group().denied !== undefined) return this.#refuseAccess();
    if (!session.host.link.suspects.enter(session)) return false;
    if (!session.pinned.take(command.withAttempts({ ...attempts, alone: true }))) return false;
    this.#alone = true;
    return true;
  }

  /** Tells the client that its command isn't sent again. */
  #giveUp(fate: "givenUp" | "tooLate", refusedWith: Buffer | undefined): boolean {
    const session = this.#session;
    if (session.ledger.outstanding > 0) return false;
    session.ownConnection?.abandon();
    if (fate === "givenUp") session.host.metrics.givenUp.inc();
    else session.host.metrics.refused.inc();
    session.answer(fate === "givenUp" ? givenUpReply : (refusedWith ?? noMasterReply));
    return true;
  }

  /** Answers at once when the server refuses this client, or has no connection for it because it is busy. */
  #refuseAccess(): boolean {
    const session = this.#session;
    if (session.ledger.outstanding > 0) return false;
    const { denied, busy } = session.group();
    if (denied === undefined) {
      if (!session.following) return false;
      const refusal = busy === undefined ? session.connectionRefusal() : encodeError(busy);
      if (refusal !== undefined) session.refuse(refusal);
      return refusal !== undefined;
    }
    session.become({ authorized: false });
    session.answer(noAuthReply);
    return true;
  }
}

/** It is answered when somebody else does something. */
function waitsForOthers({ rule }: Command): boolean {
  return rule.route === "blocking" || rule.route === "wait";
}
