import { encodeReply, status } from "../resp/encode-reply.ts";
import type { Command } from "../upstream/command.ts";
import type { Client } from "./client.ts";
import type { DedicatedLink } from "./dedicated-link.ts";
import { planLoss } from "./transaction-plan.ts";

const ok = encodeReply(status("OK"), 2);

/** WATCH and UNWATCH. Keys that were watched on a lost connection may have changed, so the next EXEC answers nil. */
export class WatchedKeys {
  readonly #session: Client;
  readonly #link: DedicatedLink;
  readonly #executing: () => boolean;
  #some = false;
  #lost = false;

  /** @param executing whether EXEC is in flight. */
  constructor(session: Client, link: DedicatedLink, executing: () => boolean) {
    this.#session = session;
    this.#link = link;
    this.#executing = executing;
  }

  /** The connection watches keys. */
  get some(): boolean {
    return this.#some;
  }

  /** The connection that watched was lost: whether a key has changed nobody knows. */
  get lost(): boolean {
    return this.#lost;
  }

  /** Its connection is gone, or is no master's. */
  lose(): void {
    if (this.#some) this.#lost = true;
  }

  /** None is watched any more. */
  forget(): void {
    this.#some = this.#lost = false;
  }

  watch(command: Command): true {
    return this.#send(command, () => {
      this.#some = true;
    });
  }

  unwatch(command: Command): true {
    return this.#send(command, () => this.forget());
  }

  #send(command: Command, agreed: () => void): true {
    const { ledger } = this.#session;
    this.#link.send(command, 1, {
      reply: (bytes) => {
        if (bytes.equals(ok)) agreed();
        if (!this.#link.rejected(bytes, command, bytes)) this.#link.giveOrRepeat(bytes, command);
      },
      lost: (sent, term) => {
        const executing = this.#executing();
        const plan = planLoss("watch", { standing: "good", opened: false, executing, sent });
        if (plan === "settled") ledger.giveBack({ kind: "reply", bytes: ok });
        else ledger.lostCommand(command, sent, term);
      },
    });
    return true;
  }
}
