import type { Logger } from "pino";
import { type Address, sameAddress } from "../../runtime/address.ts";
import { messageOf } from "../../runtime/log.ts";
import type { Heartbeat } from "../supervise/heartbeat.ts";
import type { CopyOrigin } from "../supervise/keep-heartbeat.ts";
import { type LastState, writeLastState } from "./last-state.ts";

export interface CopyNoteOptions {
  readonly file: string;
  /** What is known before the server has said anything: what the last run left, and whom the server is started to follow. */
  readonly begin: Pick<LastState, "bootId" | "heartbeat" | "followed" | "led">;
  /** The other instances. */
  readonly others: readonly Address[];
  readonly log: Logger;
}

/** Keeps the {@link LastState} on the volume up to date while the server runs. */
export class CopyNote {
  readonly #options: CopyNoteOptions;
  #state: LastState;
  #loaded = false;

  constructor(options: CopyNoteOptions) {
    this.#options = options;
    // Until the server has loaded its copy is as new as the last run left it, and may be cut short once more.
    this.#state = { ...options.begin, clean: false, durable: false };
    this.#write();
  }

  /** The server has told of its copy at least once: it could read what it keeps. */
  get hasLoaded(): boolean {
    return this.#loaded;
  }

  /** How new the copy is, and whether its file holds all of it. @param from whom the server has it. */
  copy(heartbeat: Heartbeat | undefined, durable: boolean, from: CopyOrigin): void {
    this.#loaded = true;
    this.#state = { ...this.#state, heartbeat, durable, ...this.#judge(from) };
    this.#write();
  }

  #judge(from: CopyOrigin): Pick<LastState, "followed" | "led"> {
    if (from === "itself") return { followed: undefined, led: true };
    if (from === undefined) return { followed: undefined, led: false };
    // With a quorum it follows nobody until that is proved to lose nothing, and its copy is what it was.
    return this.#options.others.some((other) => sameAddress(other, from))
      ? { followed: from, led: false }
      : {};
  }

  /** The server follows this one from now on. */
  following(followed: Address): void {
    this.#state = { ...this.#state, followed, led: false };
    this.#write();
  }

  /** The server has ended by itself. */
  ended(): void {
    this.#state = { ...this.#state, clean: true };
    this.#write();
  }

  #write(): void {
    try {
      writeLastState(this.#options.file, this.#state);
    } catch (error) {
      // A full disk is Redis' own trouble; an old note only makes this copy look older than it is.
      this.#options.log.warn({ problem: messageOf(error) }, "could not note how new the data are");
    }
  }
}
