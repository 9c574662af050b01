import type { OutputQueue } from "./output-queue.ts";

/** `CLIENT REPLY`: the server answers all the same, and the answers are dropped here. */
export class ReplyMode {
  readonly #output: OutputQueue;
  #silenced = false;
  /** After SKIP: the next command gets no reply, or its reply is waited for. */
  #skipping: "next" | "waiting" | undefined;
  /** The command whose reply is dropped was another SKIP. */
  #skipsAgain = false;

  constructor(output: OutputQueue) {
    this.#output = output;
  }

  /** Each command has to be looked at by itself. */
  get counts(): boolean {
    return this.#skipping !== undefined;
  }

  /** The next command's reply is to be dropped. */
  get skipsNext(): boolean {
    return this.#skipping === "next";
  }

  set(mode: "ON" | "OFF" | "SKIP"): void {
    if (mode === "SKIP") {
      this.#skipsAgain = this.#skipping === "next";
      this.#skipping = this.#silenced ? undefined : "next";
    } else this.#silenced = mode === "OFF";
    this.#output.mute(mode !== "ON");
  }

  /** The command whose reply is dropped is on its way. */
  skipped(): void {
    if (!this.#skipsAgain) this.#skipping = "waiting";
    this.#skipsAgain = false;
  }

  /** Whether commands may go on: not before the reply that is dropped has come. */
  mayGoOn(outstanding: number): boolean {
    if (this.#skipping !== "waiting") return true;
    if (outstanding > 0) return false;
    this.#skipping = undefined;
    this.#output.mute(this.#silenced);
    return true;
  }
}
