import { connect, type Socket } from "node:net";
import { encodeCommand } from "../../proxy/resp/command-frame.ts";
import type { RateLimit } from "./rate-limit.ts";

/** Shared by all connections of an attacker. */
export interface AttackBudget {
  readonly bytes: RateLimit;
  readonly connections: RateLimit;
  /** What was used up to now. */
  readonly used: { bytes: number; connections: number };
}

/** One hostile connection. It never fails: that the other side has closed it is what it is made for. */
export class AttackerConnection {
  readonly #socket: Socket;
  readonly #budget: AttackBudget;
  readonly #signal: AbortSignal;
  #open = true;

  private constructor(port: number, budget: AttackBudget, signal: AbortSignal) {
    this.#budget = budget;
    this.#signal = signal;
    this.#socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true, noDelay: true });
    this.#socket
      .on("error", () => undefined)
      .on("close", () => {
        this.#open = false;
      })
      .on("end", () => {
        this.#open = false;
      })
      .resume();
  }

  /** Connects, as soon as the budget allows another connection. */
  static async open(port: number, budget: AttackBudget, signal: AbortSignal): Promise<AttackerConnection> {
    await budget.connections.take(1, signal);
    budget.used.connections++;
    return new AttackerConnection(port, budget, signal);
  }

  /** The other side has not ended it. */
  get isOpen(): boolean {
    return this.#open && !this.#signal.aborted;
  }

  /** Sends, as soon as the budget allows; waits for the other side's kernel up to a second. */
  async send(bytes: Buffer): Promise<void> {
    await this.#budget.bytes.take(bytes.length, this.#signal);
    if (!this.isOpen || this.#socket.destroyed || this.#socket.writableEnded) return;
    this.#budget.used.bytes += bytes.length;
    if (this.#socket.write(bytes)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, 1000);
    this.#socket.once("drain", resolve).once("close", resolve);
    await promise;
    clearTimeout(timer);
  }

  async command(...args: string[]): Promise<void> {
    await this.send(encodeCommand(args));
  }

  /** Doesn't read from now on: the replies stay where they are. */
  stopReading(): void {
    this.#socket.pause();
  }

  /** Ends what it sends; it goes on reading. */
  halfClose(): void {
    this.#socket.end();
  }

  /** Leaves in order, or by a reset. */
  leave({ reset }: { readonly reset: boolean }): void {
    if (reset) this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }
}
