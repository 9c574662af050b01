import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { LocalTopology } from "../../cli/local/local-topology.ts";
import { ClusterControl } from "../chaos/cluster-control.ts";
import { observer } from "../chaos/observer.ts";
import { Prometheus } from "./prometheus.ts";
import type { Situation } from "./situations.ts";

export interface TrySituationOptions {
  /** First port of the topology, and the port of Prometheus. */
  readonly basePort: number;
  readonly prometheusPort: number;
  /** How long nothing happens before, s. */
  readonly calmSeconds: number;
  /** Ends all of it. */
  readonly signal: AbortSignal;
}

/** What came of a situation. */
export interface SituationResult {
  readonly name: string;
  /** Alert → how many seconds after the situation began it fired. */
  readonly fired: Readonly<Record<string, number>>;
  /** What differs from what is right, each in a sentence. */
  readonly wrong: readonly string[];
}

/** Between two scrapes and two evaluations, s. With more each alert comes later by up to both. */
const everySeconds = 1;
/** Longer than most alerts that must not fire would wait, s. */
const watchedSeconds = 35;
/** Commands that clients keep in flight: so many that some are on their way whenever a master is lost. */
const inFlight = 64;

/** Makes a situation on a topology of this machine while a client writes, and watches which alerts a Prometheus with the product's rules fires. */
export async function trySituation(
  situation: Situation,
  { basePort, prometheusPort, calmSeconds, signal }: TrySituationOptions,
): Promise<SituationResult> {
  const directory = mkdtempSync(join(tmpdir(), "redis-ha-alerts-"));
  const place = { directory: join(directory, "topology"), basePort, tester: observer, signal };
  const topology = await LocalTopology.start(place);
  const cluster = await ClusterControl.of(topology, observer);
  const ended = new AbortController();
  let prometheus: Prometheus | undefined;
  try {
    prometheus = await Prometheus.start({
      topology,
      directory: join(directory, "prometheus"),
      port: prometheusPort,
      scrapeSeconds: everySeconds,
      evaluationSeconds: everySeconds,
    });
    write(basePort, topology.password, ended.signal);
    const early = await watch(prometheus, calmSeconds, signal);
    const master = await cluster.master();
    const { fires, withinSeconds = 30, make } = situation;
    const made = make({
      cluster,
      master,
      replicas: cluster.instances.filter(({ name }) => name !== master.name),
      signal: (part, name) => topology.signal(part.name, name),
    });
    const [fired] = await Promise.all([
      watch(prometheus, Math.max(watchedSeconds, withinSeconds), signal),
      made,
    ]);
    const wrong = Object.keys(early).map((alert) => `${alert} fired before anything had happened`);
    return {
      name: situation.name,
      fired,
      wrong: [...wrong, ...judgeAlerts(fires, withinSeconds, fired)],
    };
  } finally {
    ended.abort();
    await prometheus?.stop();
    cluster.close();
    await topology.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** What is wrong with the alerts that fired, each in a sentence. Pure. */
export function judgeAlerts(
  wanted: readonly string[],
  withinSeconds: number,
  fired: Readonly<Record<string, number>>,
): string[] {
  return [
    ...wanted
      .filter((alert) => !((fired[alert] ?? Number.POSITIVE_INFINITY) <= withinSeconds))
      .map((alert) => `${alert} did not fire within ${withinSeconds} s`),
    ...Object.keys(fired)
      .filter((alert) => !wanted.includes(alert))
      .map((alert) => `${alert} fired and should not have`),
  ];
}

/** Which alerts begin to fire in this time, and when, s. */
async function watch(
  prometheus: Prometheus,
  seconds: number,
  signal: AbortSignal,
): Promise<Record<string, number>> {
  const fired: Record<string, number> = {};
  const beginMs = performance.now();
  for (;;) {
    const passed = (performance.now() - beginMs) / 1000;
    if (passed >= seconds) return fired;
    for (const { state, labels } of await prometheus.alerts())
      if (state === "firing" && labels.alertname !== undefined)
        fired[labels.alertname] ??= Math.round(passed);
    await delay(500, undefined, { signal });
  }
}

/** A client that keeps commands in flight: only what is on its way when a master is lost can be uncertain. */
function write(port: number, password: string, signal: AbortSignal): void {
  const client = new Redis({ port, password, maxRetriesPerRequest: null, enableReadyCheck: false });
  client.on("error", () => undefined);
  signal.addEventListener("abort", () => client.disconnect(), { once: true });
  const one = async (name: number): Promise<void> => {
    while (!signal.aborted) {
      // What is refused or uncertain is what the alerts are about.
      await client.set(`written:${name}`, "x").catch(() => delay(5));
    }
  };
  for (let i = 0; i < inFlight; i++) void one(i);
}
