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

/** Set in workers only. */
export const workerVariable = "PROXY_WORKER";

/** A worker's side of the way to the process that has started it. */
export class WorkerChannel {
  /** Undefined when this process is no worker. */
  static ofThisProcess(): WorkerChannel | undefined {
    return process.env[workerVariable] === undefined || !process.connected ? undefined : new WorkerChannel();
  }

  private constructor() {
    // Nobody would start it again, nor end it: it goes in order, as at a signal.
    process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
  }

  /** Answers questions from now on. */
  serve(answers: WorkerAnswers): void {
    process.on("message", ({ id, about }: WorkerQuestion) => {
      Promise.resolve(answers[about]()).then(
        // Whoever has asked may be gone: "disconnect" tells it, too.
        (value) => process.send?.({ id, value } satisfies WorkerAnswer, () => undefined),
        // Without an answer in time the worker counts as one that doesn't work.
        () => undefined,
      );
    });
  }

  /** Ends it: nothing keeps the process alive any more. */
  close(): void {
    process.removeAllListeners("disconnect");
    if (process.connected) process.disconnect?.();
  }
}
