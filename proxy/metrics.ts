import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { MasterWatcher } from "../quorum/master-watcher.ts";

/** The proxy's metrics in Prometheus' terms. */
export interface ProxyMetrics {
  readonly failovers: Counter;
  render(): Promise<string>;
}

/** Makes the metrics; gauges are read when they are asked for. */
export function createMetrics(watcher: MasterWatcher, clients: () => number): ProxyMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: "redis_ha_proxy_" });
  const gauge = (name: string, help: string, value: () => number): void => {
    new Gauge({
      name: `redis_ha_proxy_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(value());
      },
    });
  };
  gauge("clients", "Connected clients.", clients);
  gauge("following", "1 while there is a verified master, else 0.", () =>
    watcher.state.kind === "following" ? 1 : 0,
  );
  gauge(
    "sentinels_reachable",
    "Sentinels that answered in the last round.",
    () => watcher.reachableSentinels,
  );
  gauge("config_epoch", "Epoch of the followed master.", () =>
    watcher.state.kind === "following" ? watcher.state.configEpoch : 0,
  );
  const failovers = new Counter({
    name: "redis_ha_proxy_failovers_total",
    help: "Changes from one master to another.",
    registers: [registry],
  });
  return { failovers, render: () => registry.metrics() };
}
