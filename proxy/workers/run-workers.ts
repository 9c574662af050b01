import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { AggregatorRegistry } from "prom-client";
import { type Health, startAdminServer } from "../../runtime/admin-server.ts";
import type { ProxyEnvironment } from "../environment.ts";
import { stopSignals } from "./worker-channel.ts";
import { WorkerProcess } from "./worker-process.ts";

/** A worker that ends at once is started again after this, ms; each time twice as long, up to the second. */
const [firstPauseMs, longestPauseMs] = [100, 5000];
/** One that has worked for so long is started again at once, ms. */
const soundAfterMs = 10_000;

/**
 * Runs the proxy in several processes that listen on the same ports and share nothing. One that ends is started again; its
 * clients connect anew, those of the others notice nothing. This process takes no clients: it answers for all of them.
 *
 * @param program what the workers run, without arguments.
 * @throws {Error} when the admin port is taken.
 */
export async function runWorkers(program: string, environment: ProxyEnvironment, log: Logger): Promise<void> {
  const { BIND_ADDR: host, PROXY_ADMIN_PORT: port, PROXY_WORKERS: count } = environment;
  const workers = new Map<number, WorkerProcess>();
  const stopping = new AbortController();

  const keepAlive = async (number: number): Promise<void> => {
    for (let pauseMs = firstPauseMs; !stopping.signal.aborted; ) {
      const worker = new WorkerProcess(program, number);
      workers.set(number, worker);
      const how = await worker.ended;
      if (stopping.signal.aborted) return;
      if (performance.now() - worker.startedAt > soundAfterMs) pauseMs = firstPauseMs;
      log.error({ worker: number, pauseMs }, `a worker has ended by itself (${how}): it is started again`);
      await delay(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      pauseMs = Math.min(2 * pauseMs, longestPauseMs);
    }
  };

  const ready = async (): Promise<Health> => {
    const answers = await Promise.all([...workers.values()].map((worker) => worker.ask("ready")));
    const bad = answers.findIndex((answer) => answer !== true);
    if (bad < 0) return true;
    const answer = answers[bad];
    const problem = typeof answer === "object" ? answer.problem : "no answer";
    return { problem: `worker ${bad + 1} of ${count}: ${problem}` };
  };
  const metrics = async (): Promise<string> => {
    const answers = await Promise.all([...workers.values()].map((worker) => worker.ask("metrics")));
    return AggregatorRegistry.aggregate(answers.filter((answer) => answer !== undefined)).metrics();
  };

  const admin = await startAdminServer({ host, port, live: () => true, ready, metrics });
  for (const signal of stopSignals) {
    process.on(signal, () => {
      stopping.abort();
      for (const worker of workers.values()) worker.signal(signal);
    });
  }
  await Promise.all(Array.from({ length: count }, (_, i) => keepAlive(i + 1)));
  admin.close();
}
