import { ProtocolError } from "../../runtime/protocol-error.ts";
import { encodeError } from "../resp/encode-reply.ts";
import type { Upstream } from "../upstream/upstream.ts";
import type { ClientInput } from "./client-input.ts";
import { CommandRouter } from "./command-router.ts";
import type { Endpoint } from "./endpoint.ts";
import { ReplyMode } from "./reply-mode.ts";
import { RunReader } from "./run-reader.ts";
import { SharedLink } from "./shared-link.ts";

/**
 * Takes one client's commands in order: what is stateless goes over the shared connection, what isn't over one of its
 * own, and what can't go anywhere just now waits, with all that comes behind it.
 */
export class CommandFlow {
  readonly reader: RunReader;
  readonly replyMode: ReplyMode;
  readonly shared: SharedLink;
  readonly #session: Endpoint;
  readonly #input: ClientInput;
  readonly #router: CommandRouter;
  #held = false;
  #inTurn = false;
  #again = false;

  constructor(session: Endpoint, input: ClientInput) {
    this.#session = session;
    this.#input = input;
    this.shared = new SharedLink(session);
    this.#router = new CommandRouter(session, this.shared, this);
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

  /** A command has begun and isn't complete. */
  get partial(): boolean {
    return this.reader.partial;
  }

  /** What is first had to wait for a master, and wasn't sent since. */
  get held(): boolean {
    return this.#held;
  }

  hold(): void {
    this.#held = true;
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
      this.#session.departure.fail(encodeError(`ERR Protocol error: ${error.message}`));
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
    if (!this.#router.mayGoOn()) return false;
    if (waiting.givenBack) {
      if (session.ledger.outstanding > 0) return false;
      session.ledger.lineUpReturned();
    }
    if (!replyMode.mayGoOn(session.ledger.outstanding)) return false;
    if (session.ownConnection?.restored() === false) return false;
    const { first } = waiting;
    if (first?.kind === "command" && session.departure.begun && !session.following) {
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
      if (this.#router.take(first.command, first.refusal)) {
        this.#held = false;
        session.connecting.over();
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
    return own?.active === true ? own.plainUpstream : this.shared.current();
  }
}
