import type { OpenRetries } from "../upstream/open-retries.ts";
import type { UpstreamGroup, Waiter } from "../upstream/upstream-group.ts";
import { noConnectionReply } from "./error-replies.ts";

/** Whose first command may wait for a connection. */
export interface ConnectionSeeker extends Waiter {
  group(): UpstreamGroup;
}

/** The time for which a client's first command waits for a connection although there is a master. */
export class ConnectionWait {
  readonly #client: ConnectionSeeker;
  readonly #holdTimeoutMs: number;
  /** Since when, ms of the monotonic clock. */
  #since: number | undefined;
  #retry: NodeJS.Timeout | undefined;

  /** @param holdTimeoutMs so long a client is held. */
  constructor(client: ConnectionSeeker, holdTimeoutMs: number) {
    this.#client = client;
    this.#holdTimeoutMs = holdTimeoutMs;
  }

  /** It waits from now on, if it didn't before. */
  begin(): void {
    this.#since ??= performance.now();
  }

  /** It has a connection. */
  over(): void {
    this.#since = undefined;
  }

  /** There was nobody to ask: the client goes on, but not at once. @param retries of the connections that it needs. */
  tryLater({ waitMs }: OpenRetries = this.#client.group().retries): void {
    this.begin();
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      this.#client.wake();
    }, waitMs);
  }

  /**
   * What the client is answered when it has waited for as long as clients are held, or when everybody has for so long that nothing is
   * held any more.
   *
   * @param retries of the connections that it needs. @param problem what was found at the last try.
   * @returns undefined: it may go on waiting.
   */
  refusal(
    retries: OpenRetries = this.#client.group().retries,
    problem = this.#client.group().problem,
  ): Buffer | undefined {
    const waitedMs = performance.now() - (this.#since ?? Number.POSITIVE_INFINITY);
    const late =
      waitedMs > this.#holdTimeoutMs || (retries.failingMs > this.#holdTimeoutMs && retries.resting);
    return late ? noConnectionReply(problem) : undefined;
  }

  /** The client has left. */
  stop(): void {
    clearTimeout(this.#retry);
  }
}
