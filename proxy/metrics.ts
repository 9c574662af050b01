import { type Aggregator, Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { MasterWatcher } from "../quorum/master-watcher.ts";
import { sameAddress } from "../runtime/address.ts";

/** What is read when the metrics are asked for. */
export interface MeasuredState {
  clients(): number;
  upstreams(): number;
  holding(): boolean;
  /** Clients that wait for a master. */
  waiting(): number;
  heldBytes(): number;
  /** Replicas without which a master isn't used. */
  readonly quorumReplicas: number;
}

/** The proxy's metrics in Prometheus' terms. */
export interface ProxyMetrics {
  readonly failovers: Counter;
  readonly uncertain: Counter;
  readonly sentAgain: Counter;
  readonly givenUp: Counter;
  readonly refused: Counter;
  readonly protocolErrors: Counter;
  readonly subscriptionGaps: Counter;
  readonly watchesLost: Counter;
  readonly dropped: Counter<"reason">;
  readonly dedicated: Counter<"route">;
  readonly rejections: Counter<"code">;
  readonly holds: Histogram;
  readonly confirmations: Counter<"outcome">;
  readonly confirmationTime: Histogram;
  render(): Promise<string>;
  /** All values, for whoever adds up those of several processes. */
  collect(): Promise<readonly object[]>;
}

/** Makes the metrics; gauges are read when they are asked for. */
export function createMetrics(watcher: MasterWatcher, state: MeasuredState): ProxyMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: "redis_ha_proxy_" });
  /** @param aggregator what the gauges of several processes are together. */
  const gauge = (name: string, help: string, value: () => number, aggregator: Aggregator = "sum"): void => {
    new Gauge({
      name: `redis_ha_proxy_${name}`,
      help,
      aggregator,
      registers: [registry],
      collect() {
        this.set(value());
      },
    });
  };
  const counter = (name: string, help: string, aggregator: Aggregator = "sum"): Counter =>
    new Counter({ name: `redis_ha_proxy_${name}_total`, help, aggregator, registers: [registry] });
  const counterBy = <Label extends string>(label: Label, name: string, help: string): Counter<Label> =>
    new Counter({
      name: `redis_ha_proxy_${name}_total`,
      help,
      labelNames: [label],
      registers: [registry],
    });
  gauge("clients", "Connected clients.", state.clients);
  gauge("upstreams", "Connections to the master.", state.upstreams);
  gauge(
    "following",
    "1 while there is a verified master, else 0.",
    () => (watcher.state.kind === "following" ? 1 : 0),
    "min",
  );
  gauge(
    "holding",
    "1 while commands are held because there is no verified master, else 0.",
    () => (state.holding() ? 1 : 0),
    "max",
  );
  gauge("held_clients", "Clients whose commands wait for a master.", state.waiting);
  gauge("held_bytes", "Bytes of commands that wait.", state.heldBytes);
  gauge(
    "sentinels_reachable",
    "Sentinels that answered in the last round.",
    () => watcher.views.length,
    "min",
  );
  gauge(
    "sentinels_disagreeing",
    "Sentinels that name another master than the one that is followed.",
    () => {
      const { state: now, views } = watcher;
      if (now.kind !== "following") return 0;
      return views.filter(({ master }) => !sameAddress(master, now.master)).length;
    },
    "max",
  );
  gauge(
    "config_epoch",
    "Epoch of the followed master.",
    () => (watcher.state.kind === "following" ? watcher.state.configEpoch : 0),
    "max",
  );
  gauge(
    "quorum_replicas",
    "With `redis:durability` `quorum`: replicas that keep up which a master must have; else 0.",
    () => state.quorumReplicas,
    "max",
  );
  return {
    failovers: counter("failovers", "Changes from one master to another.", "max"),
    uncertain: counter("uncertain", "Commands answered with UNCERTAIN: nobody knows whether they ran."),
    sentAgain: counter("sent_again", "Commands that certainly had no effect and were sent a second time."),
    givenUp: counter(
      "given_up",
      "Commands answered with GIVENUP: without effect, and lost each time that they were sent.",
    ),
    refused: counter("refused", "Commands answered with LOADING because there was no master for too long."),
    protocolErrors: counter("protocol_errors", "Clients closed because of bytes that are no RESP."),
    subscriptionGaps: counter("subscription_gaps", "Subscriptions restored on a new connection."),
    watchesLost: counter("watches_lost", "Transactions that ended with nil because WATCH was lost."),
    dropped: counterBy("reason", "dropped_clients", "Clients closed by the proxy, by reason."),
    dedicated: counterBy(
      "route",
      "dedicated",
      "Connections given to single clients, by what they were needed for.",
    ),
    rejections: counterBy(
      "code",
      "rejections",
      "Replies that said that this Redis is no master that works, by code.",
    ),
    holds: new Histogram({
      name: "redis_ha_proxy_hold_seconds",
      help: "How long commands waited for a master, each time that there was none.",
      buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30, 60],
      registers: [registry],
    }),
    confirmations: counterBy(
      "outcome",
      "durability_waits",
      "Questions whether a replica has the writes that stand before them: confirmed, timeout, or the connection was lost.",
    ),
    confirmationTime: new Histogram({
      name: "redis_ha_proxy_durability_seconds",
      help: "How long these questions took to be answered.",
      buckets: [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers: [registry],
    }),
    render: () => registry.metrics(),
    collect: () => registry.getMetricsAsJSON(),
  };
}
