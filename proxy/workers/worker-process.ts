import { type ChildProcess, fork } from "node:child_process";
import {
  type WorkerAnswer,
  type WorkerAnswers,
  type WorkerQuestion,
  type WorkerSignal,
  workerVariable,
} from "./worker-channel.ts";

/** One that answers nothing for so long doesn't work, ms. */
const answerWithinMs = 1000;

type Value<About extends keyof WorkerAnswers> = Awaited<ReturnType<WorkerAnswers[About]>>;

/** A worker, seen from the process that has started it. */
export class WorkerProcess {
  /** Resolves when it has ended, with how. */
  readonly ended: Promise<string>;
  readonly startedAt = performance.now();
  readonly #child: ChildProcess;
  readonly #questions = new Map<number, (value: WorkerAnswer["value"]) => void>();
  #lastId = 0;

  /** @param number of the worker, from 1. */
  constructor(program: string, number: number) {
    this.#child = fork(program, {
      env: { ...process.env, [workerVariable]: String(number) },
      // Metrics may be NaN, which JSON doesn't have.
      serialization: "advanced",
    });
    this.#child.on("message", ({ id, value }: WorkerAnswer) => {
      this.#questions.get(id)?.(value);
      this.#questions.delete(id);
    });
    this.ended = new Promise((resolve) => {
      this.#child.once("error", ({ message }) => resolve(message));
      this.#child.once("exit", (code, signal) =>
        resolve(signal === null ? `exit code ${code}` : `signal ${signal}`),
      );
    });
  }

  /** Asks it; undefined when it doesn't answer in time. */
  async ask<About extends keyof WorkerAnswers>(about: About): Promise<Value<About> | undefined> {
    const id = ++this.#lastId;
    const { promise, resolve } = Promise.withResolvers<WorkerAnswer["value"] | undefined>();
    const timer = setTimeout(resolve, answerWithinMs, undefined);
    this.#questions.set(id, resolve);
    // It may have ended: then there is no answer.
    this.#child.send({ id, about } satisfies WorkerQuestion, () => undefined);
    const value = await promise;
    clearTimeout(timer);
    this.#questions.delete(id);
    return value as Value<About> | undefined;
  }

  /** Passes on a signal that asks the proxy to end. */
  signal(signal: NodeJS.Signals): void {
    // One that has ended already needs none.
    this.#child.send({ signal } satisfies WorkerSignal, () => undefined);
  }
}
