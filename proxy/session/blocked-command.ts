import { isError } from "../resp/reply-type.ts";
import type { Command } from "../upstream/command.ts";
import { readsFromNow, timeLimitMs, timeoutReply, withRemainingTime } from "./blocking.ts";
import type { Client } from "./client.ts";
import type { DedicatedLink } from "./dedicated-link.ts";
import { execNil } from "./error-replies.ts";

/** What blocks for longer, ms, is not itself the reason for its end. */
const seriesMs = 5000;

/** Its time was over. */
const nothing: ReadonlySet<string> = new Set(["*-1\r\n", "$-1\r\n", "_\r\n"]);

/**
 * A command of one client that waits for something to happen. Its client waits no longer than it asked for. What became of it nobody
 * knows when its connection is lost: its client's connection ends then, as with a Redis that dies. Workers survive that, and no error
 * (docs/decisions/035-blocked-commands-at-a-loss.md).
 */
export class BlockedCommand {
  readonly #session: Client;
  readonly #link: DedicatedLink;
  readonly #over: () => void;
  #active = false;
  #expires: NodeJS.Timeout | undefined;

  /** @param over it was answered: the connection may be given back. */
  constructor(session: Client, link: DedicatedLink, over: () => void) {
    this.#session = session;
    this.#link = link;
    this.#over = over;
  }

  /** The master has it, and hasn't answered. */
  get active(): boolean {
    return this.#active;
  }

  /** There is no master: the time that the client gave runs all the same. */
  limitWaiting(command: Command): void {
    const limitMs = timeLimitMs(command);
    if (limitMs === undefined || this.#expires !== undefined) return;
    this.#expires = setTimeout(() => {
      this.#expires = undefined;
      this.#session.expire(command, timeoutReply(command, this.#session.identity.protocol));
    }, limitMs);
  }

  /** The master is there, or the client has left. */
  stopWaiting(): void {
    clearTimeout(this.#expires);
    this.#expires = undefined;
  }

  /** Its connection is gone, or its client. */
  reset(): void {
    this.#active = false;
  }

  /** Sends it; false when it has to wait: it would hold up what comes behind it, and what is before it comes first. */
  send(command: Command): boolean {
    const session = this.#session;
    if (session.ledger.outstanding > 0 || !session.isStillThere()) return false;
    const since = performance.now();
    this.#active = true;
    session.occupy();
    const again = (): Command => {
      const waitedMs = performance.now() - since;
      const rest = withRemainingTime(command, waitedMs);
      // It was well where it was: what happens now has nothing to do with what happened before.
      return waitedMs > seriesMs ? rest.withAttempts(undefined) : rest;
    };
    const { upstream } = this.#link;
    let replaced = false;
    upstream?.staysWhenReplaced(() => {
      replaced = true;
    });
    const over = (): void => {
      this.#active = false;
      session.free();
      upstream?.staysWhenReplaced(undefined);
    };
    const lost = (sent: boolean, term: number): void => {
      if (sent && readsFromNow(command)) {
        session.ledger.giveBack({ kind: "reply", bytes: execNil[session.identity.protocol] });
      } else if (sent && !command.rule.effectFree) session.cutOff();
      else session.ledger.lostCommand(again(), sent, term);
    };
    this.#link.send(command, 1, {
      endsUnconfirmed: true,
      wroteNothing: (bytes) => nothing.has(bytes.toString("latin1")),
      reply: (bytes) => {
        over();
        if (replaced && !isError(bytes) && !nothing.has(bytes.toString("latin1"))) {
          // What it has taken after another one became the master is undone when it joins that one.
          upstream?.destroy("the master was replaced");
          lost(true, upstream?.options.term ?? 0);
          return;
        }
        if (session.ended || this.#link.rejected(bytes, again())) return;
        session.output.add(bytes);
        this.#over();
      },
      lost: (sent, term) => {
        over();
        lost(sent, term);
      },
    });
    return true;
  }
}
