import type { Command } from "../upstream/command.ts";

/** What waits in a session: a command, or a reply that may only be given after those before it. */
export type Pending =
  | {
      readonly kind: "command";
      readonly command: Command;
      /** What the master said when it refused the command. */
      readonly refusal?: Buffer;
    }
  | {
      readonly kind: "reply";
      readonly bytes: Buffer;
      /** It is the answer to a command that was executed and may have changed something. */
      readonly executed?: boolean;
    };

/** A client's commands that could go nowhere yet, and those that came back, in the order in which they are to be taken. */
export class WaitingLine {
  #line: Pending[] = [];
  #returned: Pending[] = [];

  /** Nothing waits and nothing came back. */
  get empty(): boolean {
    return this.#line.length === 0 && this.#returned.length === 0;
  }

  get first(): Pending | undefined {
    return this.#line[0];
  }

  /** Something came back and isn't in the line yet: replies to later commands have to wait. */
  get givenBack(): boolean {
    return this.#returned.length > 0;
  }

  /** Bytes of the commands that wait. */
  get bytes(): number {
    let bytes = 0;
    for (const pending of this.#line) {
      if (pending.kind === "command") bytes += pending.command.size;
    }
    return bytes;
  }

  append(pending: Pending): void {
    this.#line.push(pending);
  }

  removeFirst(): void {
    this.#line.shift();
  }

  putFirst(pending: Pending): void {
    this.#line.unshift(pending);
  }

  replaceFirst(pending: Pending): void {
    this.#line[0] = pending;
  }

  /** Takes something back that was on its way; in the order in which it was sent. */
  giveBack(pending: Pending): void {
    this.#returned.push(pending);
  }

  /** Something that came back turns out to be something else. */
  replaceReturned(before: Pending, now: Pending): void {
    const at = this.#returned.indexOf(before);
    if (at >= 0) this.#returned[at] = now;
  }

  /**
   * Everything that was on its way is back: it goes before all that waits. A command that was refused before a later one
   * was executed is not sent again, that would turn their order round: its client gets the refusal.
   */
  lineUpReturned(): void {
    const lastExecuted = this.#returned.findLastIndex(
      (pending) => pending.kind === "reply" && pending.executed === true,
    );
    const returned = this.#returned.map((pending, i): Pending => {
      if (i > lastExecuted || pending.kind === "reply" || pending.refusal === undefined) return pending;
      return { kind: "reply", bytes: pending.refusal };
    });
    this.#line = [...returned, ...this.#line];
    this.#returned = [];
  }

  /** Forgets what waits, not what came back: that was sent, and is answered. */
  drop(): void {
    this.#line = [];
  }
}
