import type { Command } from "../upstream/command.ts";
import type { Client } from "./client.ts";
import type { DedicatedLink } from "./dedicated-link.ts";
import { waitLostReply } from "./error-replies.ts";

/** WAIT asks about all that its connection has written: nobody can say so of one that was lost. */
export class WaitCommand {
  readonly #session: Client;
  readonly #link: DedicatedLink;
  /** Those that aren't answered. */
  #asked = 0;
  /** A connection was lost since the client last heard from WAIT. */
  #lost = false;
  /** How often there was no master when its connection was given back after it had written on it: the first since it heard from WAIT. */
  #releasedAt: number | undefined;

  constructor(session: Client, link: DedicatedLink) {
    this.#session = session;
    this.#link = link;
  }

  /** One is under way. */
  get active(): boolean {
    return this.#asked > 0;
  }

  /** Writes of the client are on a connection that was lost. */
  get lost(): boolean {
    const { host, shared } = this.#session;
    const released = this.#releasedAt !== undefined && this.#releasedAt !== host.link.interruptions;
    return this.#lost || released || shared.lost;
  }

  /** The client's own connection is lost. */
  lose(): void {
    this.#lost = true;
  }

  /** The client's own connection is given back to all. */
  release(): void {
    this.#releasedAt ??= this.#session.host.link.interruptions;
  }

  send(command: Command): void {
    this.#asked++;
    this.#link.send(command, 1, {
      reply: (bytes) => {
        this.#asked--;
        this.#link.giveOrRepeat(bytes, command);
      },
      lost: (sent, term) => {
        this.#asked--;
        if (sent) this.#session.ledger.giveBack({ kind: "reply", bytes: waitLostReply });
        else this.#session.ledger.lostCommand(command, sent, term);
      },
    });
  }

  /** Says once that nobody knows: what is written from now on is another matter. False: earlier replies have to come first. */
  answerLost(): boolean {
    const session = this.#session;
    if (session.ledger.outstanding > 0) return false;
    session.answer(waitLostReply);
    this.#lost = false;
    this.#releasedAt = undefined;
    session.shared.forgetLosses();
    return true;
  }
}
