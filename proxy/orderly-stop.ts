import { setTimeout as delay } from "node:timers/promises";

export interface OrderlyStopOptions {
  /** Milliseconds from SIGTERM for which new clients are still taken; 0: nobody sends any by then. */
  readonly delayMs: number;
  /** Takes no more clients from now on, and resolves when the last one has gone. Called once. */
  readonly drain: (signal: NodeJS.Signals) => Promise<void>;
  /** Ends the process with whatever is under way. */
  readonly abort: () => void;
}

/**
 * How a proxy ends. Kubernetes sends SIGTERM and tells every node not to send new clients here any more *at the same time*: until
 * the last node has heard of it they still come, and a port that is closed already would refuse them. So it goes on as if
 * nothing had happened for a while, and only then drains.
 *
 * SIGINT comes from a person at a terminal: there is no Service, and it drains at once. Each further signal goes on to the next
 * step.
 */
export class OrderlyStop {
  readonly #options: OrderlyStopOptions;
  readonly #hurry = new AbortController();
  #state: "running" | "leaving" | "draining" = "running";

  constructor(options: OrderlyStopOptions) {
    this.#options = options;
  }

  /** It takes no new clients any more. */
  get draining(): boolean {
    return this.#state === "draining";
  }

  /** Resolves when the signal has had its effect, at the latest when the last client has gone. */
  async signal(signal: NodeJS.Signals): Promise<void> {
    const { delayMs, drain, abort } = this.#options;
    if (this.#state === "draining") return abort();
    if (this.#state === "leaving") return this.#hurry.abort();
    if (signal === "SIGTERM" && delayMs > 0) {
      this.#state = "leaving";
      await delay(delayMs, undefined, { signal: this.#hurry.signal }).catch(() => undefined);
    }
    this.#state = "draining";
    await drain(signal);
  }
}
