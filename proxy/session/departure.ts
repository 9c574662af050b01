import type { Socket } from "node:net";
import type { ClientInput } from "./client-input.ts";
import type { Ledger } from "./ledger.ts";
import type { OutputQueue } from "./output-queue.ts";
import type { SessionHost } from "./session-host.ts";

/** The client that leaves. */
export interface Departing {
  readonly host: SessionHost;
  readonly ledger: Ledger;
  readonly output: OutputQueue;
  /** There is a master. */
  readonly following: boolean;
  /** A question of the proxy's own is under way. */
  readonly busy: boolean;
  readonly ownConnection: { readonly waitsForOthers: boolean; readonly inTransaction: boolean } | undefined;
  /** Nothing can be told any more: it leaves every place that knows it. Once. */
  gone(): void;
}

/** What it has sent and nobody has sent on. */
export interface Unsent {
  /** There is nothing. */
  readonly idle: boolean;
  /** The first had to wait for a master. */
  readonly held: boolean;
  /** A command has begun and isn't complete. */
  readonly partial: boolean;
  /** Forgets it. */
  drop(): void;
}

/** So often it is looked whether a client that is ended still reads the last replies, ms. */
const lookForStallMs = 1000;

/** How one client leaves. */
export class Departure {
  readonly #client: Departing;
  readonly #socket: Socket;
  readonly #input: ClientInput;
  readonly #unsent: Unsent;
  #begun = false;
  #over = false;

  constructor(client: Departing, socket: Socket, input: ClientInput, unsent: Unsent) {
    this.#client = client;
    this.#socket = socket;
    this.#input = input;
    this.#unsent = unsent;
  }

  /** The client has closed its side, or has sent what is no command. */
  get begun(): boolean {
    return this.#begun;
  }

  get over(): boolean {
    return this.#over;
  }

  /** At a command's boundary with nothing under way: it may be closed without losing anything. */
  get harmless(): boolean {
    const { ledger, busy, ownConnection } = this.#client;
    const nothing = ledger.outstanding === 0 && !busy && ledger.waiting.empty && this.#input.empty;
    return nothing && !this.#unsent.partial && ownConnection?.inTransaction !== true;
  }

  /**
   * The client has closed its side. Redis, too, takes that for its departure: what it sent before is executed and answered; but
   * nothing that has to wait for a master: whoever leaves meanwhile has given up.
   */
  begin(): void {
    this.#begun = true;
    this.#input.stop();
    // It would take an element for nobody, or stay for ever.
    if (this.#client.ownConnection?.waitsForOthers === true) {
      this.endNow();
      return;
    }
    // While it is looked for, or its command waits for the connection, too: the end came before the answer could.
    if (this.#input.looking || !this.#client.following || this.#unsent.held) this.#unsent.drop();
    this.endWhenDone();
  }

  /** Its bytes are no commands: it is told so after the replies that are due, and then the connection ends. */
  fail(reply: Buffer): void {
    const { ledger, output } = this.#client;
    this.#begun = true;
    this.#input.stop();
    ledger.waiting.append({ kind: "reply", bytes: reply });
    if (ledger.outstanding > 0) return;
    output.add(reply);
    this.end();
  }

  /** Ends it when its client has closed its side and everything that came before is answered. */
  endWhenDone(): void {
    const { ledger, busy } = this.#client;
    if (!this.#begun || this.#over || ledger.outstanding > 0 || busy) return;
    if (this.#unsent.idle) this.end();
  }

  /** Closes the connection in order. */
  end(): void {
    const { output } = this.#client;
    output.end();
    if (output.unread > 0) {
      const cutOff = setInterval(() => {
        if (output.stalled) this.#socket.destroy();
      }, lookForStallMs);
      this.#socket.once("close", () => clearInterval(cutOff));
    }
    this.#release();
  }

  /** Closes the connection at once. */
  endNow(): void {
    this.#socket.destroy();
    this.#release();
  }

  /** The same, with the proxy as the cause. @param reason for the metrics. */
  drop(reason: string): void {
    this.#client.host.metrics.dropped.inc({ reason });
    this.endNow();
  }

  /**
   * Nobody knows what became of the command that the client waited for: its connection ends, behind the replies that are due, and nothing
   * that it has sent since is executed.
   */
  cutOff(): void {
    this.#client.host.metrics.dropped.inc({ reason: "lost while blocking" });
    this.end();
  }

  #release(): void {
    if (this.#over) return;
    this.#over = true;
    this.#input.stop();
    this.#unsent.drop();
    this.#client.gone();
  }
}
