import { encodeError } from "../resp/encode-reply.ts";
import type { Attempts, Command } from "../upstream/command.ts";
import { Run } from "../upstream/run.ts";
import type { Unsent } from "./departure.ts";
import type { Endpoint } from "./endpoint.ts";
import { givenUpReply, noAuthReply, noMasterReply, subscribedReply } from "./error-replies.ts";
import { fateOf } from "./fate.ts";
import { ruleOf } from "./find-commands.ts";
import { answerLocally } from "./local-commands.ts";
import { prepared } from "./prepare.ts";
import { refusalOf } from "./refusal.ts";
import { bigCommandBytes } from "./run-reader.ts";
import type { SharedLink } from "./shared-link.ts";
import { translate } from "./translate.ts";

/**
 * Brings each of a client's commands to where it belongs: the proxy itself, the connection that it shares, one of its own, or an answer
 * that says why it goes nowhere.
 */
export class CommandRouter {
  readonly #session: Endpoint;
  readonly #shared: SharedLink;
  readonly #unsent: Unsent;
  /** What is under way is a suspect, which has its turn. */
  #alone = false;

  constructor(session: Endpoint, shared: SharedLink, unsent: Unsent) {
    this.#session = session;
    this.#shared = shared;
    this.#unsent = unsent;
  }

  /** Nothing goes behind a suspect, since it could be the cause, too. False while it is under way. */
  mayGoOn(): boolean {
    if (!this.#alone) return true;
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
  take(command: Command, refusedWith?: Buffer): boolean {
    if (!this.#bring(command, refusedWith)) return false;
    if (command.attempts !== undefined && !this.#alone) this.#session.host.link.suspects.leave(this.#session);
    return true;
  }

  #bring(command: Command, refusedWith: Buffer | undefined): boolean {
    const session = this.#session;
    const rule = ruleOf(command, session.host.server.table);
    const known = command.withRule(rule);
    if (session.departure.begun && waitsForOthers(known) && session.ownConnection?.inTransaction !== true) {
      // Redis would see its client's end before anybody could serve it; what comes behind it is never reached.
      this.#unsent.drop();
      return true;
    }
    const refusal = refusalOf(known);
    if (refusal !== undefined) {
      if (session.ledger.outstanding > 0) return false;
      session.ownConnection?.refuseInTransaction();
      session.answer(refusal.reply);
      if (refusal.ends) session.departure.end();
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
    const upstream = this.#shared.acquire();
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
      const refusal = busy === undefined ? session.connecting.refusal() : encodeError(busy);
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
