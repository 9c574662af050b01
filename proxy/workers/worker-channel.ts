import type { Health } from "../../runtime/admin-server.ts";

/** What the process that has started the workers asks each of them. */
export interface WorkerAnswers {
  readonly ready: () => Health;
  /** All metrics, as `Registry.getMetricsAsJSON` gives them. */
  readonly metrics: () => Promise<readonly object[]>;
}

/** A question, and what is answered to it: between processes of one proxy, and nobody else. */
export interface WorkerQuestion {
  readonly id: number;
  readonly about: keyof WorkerAnswers;
}
export interface WorkerAnswer {
  readonly id: number;
  readonly value: Health | readonly object[];
}

/** A signal that the process which has started a worker passes on to it. */
export interface WorkerSignal {
  readonly signal: NodeJS.Signals;
}

/** What asks a proxy to end. */
export const stopSignals = ["SIGTERM", "SIGINT"] as const;

/** Set in workers only. */
export const workerVariable = "PROXY_WORKER";

/** A worker's side of the way to the process that has started it. */
export class WorkerChannel {
  /** Undefined when this process is no worker. */
  static ofThisProcess(): WorkerChannel | undefined {
    if (process.env[workerVariable] === undefined) return undefined;
    // Who has started it is gone already: as a proxy of its own nobody would ever end it.
    if (!process.connected) process.exit(1);
    return new WorkerChannel();
  }

  #answers: WorkerAnswers | undefined;
  /** Until it has clients, there is nothing to do in order. */
  #onSignal: (signal: NodeJS.Signals) => void = () => process.exit(1);

  private constructor() {
    process.on("message", (message: WorkerQuestion | WorkerSignal) => {
      if ("signal" in message) this.#onSignal(message.signal);
      else this.#answer(message);
    });
    // Nobody would start it again, nor end it.
    process.once("disconnect", () => this.#onSignal("SIGINT"));
    // A terminal signals every process of a group, and the one that has started this one passes its signal on: the same signal
    // twice would count as the second.
    for (const signal of stopSignals) process.on(signal, () => undefined);
  }

  /** Answers questions from now on. */
  serve(answers: WorkerAnswers): void {
    this.#answers = answers;
  }

  /** From now on tells of each signal that the process gets which has started this one; SIGINT when that process is gone. */
  onSignal(listener: (signal: NodeJS.Signals) => void): void {
    this.#onSignal = listener;
  }

  /** Ends it: nothing keeps the process alive any more. */
  close(): void {
    process.removeAllListeners("disconnect");
    if (process.connected) process.disconnect?.();
  }

  #answer({ id, about }: WorkerQuestion): void {
    Promise.resolve(this.#answers?.[about]()).then(
      // Whoever has asked may be gone: "disconnect" tells it, too.
      (value) => value && process.send?.({ id, value } satisfies WorkerAnswer, () => undefined),
      // Without an answer in time the worker counts as one that doesn't work.
      () => undefined,
    );
  }
}
