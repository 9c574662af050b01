import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { LocalTopology } from "../../cli/local/local-topology.ts";
import { type AlertScope, alertRules } from "../../components/monitoring/alert-rules.ts";
import { findProgram } from "../../runtime/find-program.ts";
import { UserError } from "../../runtime/user-error.ts";

/** One result of a query: its labels and its value now. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [atSeconds: number, value: string];
}

/** An alert that is about to fire, or does. */
export interface ActiveAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly state: "pending" | "firing";
}

export interface PrometheusOptions {
  readonly topology: LocalTopology;
  /** Where it keeps its files. */
  readonly directory: string;
  /** On the loopback. */
  readonly port: number;
  /** Between two scrapes, s. */
  readonly scrapeSeconds: number;
  /** Between two evaluations of the rules, s. */
  readonly evaluationSeconds: number;
}

const startsWithinMs = 60_000;
const answersWithinMs = 10_000;

/** What a stack's pods have as labels, and a PodMonitor gives to their metrics. */
export const localNamespace = "local";
export const localSet = "redis-ha";

/** A real Prometheus with the product's rules, which reads a topology of this machine as it would read a stack. */
export class Prometheus {
  readonly #url: string;
  readonly #process: ChildProcess;

  private constructor(url: string, process: ChildProcess) {
    this.#url = url;
    this.#process = process;
  }

  /** @throws {UserError} when it isn't installed. */
  static async start(options: PrometheusOptions): Promise<Prometheus> {
    const { topology, directory, port, scrapeSeconds, evaluationSeconds } = options;
    let program: string;
    try {
      program = findProgram("prometheus", process.env.PATH);
    } catch {
      throw new UserError("prometheus is not in PATH: apt-get install prometheus.");
    }
    const scope: AlertScope = {
      namespace: localNamespace,
      name: localSet,
      instances: topology.settings.redis.instances,
      sentinels: topology.settings.sentinel.count,
    };
    const targets = topology.parts
      .filter(({ kind }) => kind !== "sentinel")
      .map(({ name, adminUrl }) => ({
        targets: [new URL(adminUrl).host],
        labels: { namespace: localNamespace, app_kubernetes_io_name: localSet, pod: name },
      }));
    const configuration = {
      global: {
        scrape_interval: `${scrapeSeconds}s`,
        scrape_timeout: `${scrapeSeconds}s`,
        evaluation_interval: `${evaluationSeconds}s`,
      },
      rule_files: ["rules.json"],
      scrape_configs: [{ job_name: "redis-ha", static_configs: targets }],
    };
    mkdirSync(directory, { recursive: true });
    writeFileSync(
      join(directory, "rules.json"),
      JSON.stringify({ groups: [{ name: "redis-ha", rules: alertRules(scope) }] }),
    );
    // JSON is YAML.
    writeFileSync(join(directory, "prometheus.yml"), JSON.stringify(configuration));
    const log = openSync(join(directory, "prometheus.log"), "a");
    const child = spawn(
      program,
      [
        `--config.file=${join(directory, "prometheus.yml")}`,
        `--storage.tsdb.path=${join(directory, "data")}`,
        `--web.listen-address=127.0.0.1:${port}`,
        "--log.level=warn",
      ],
      { stdio: ["ignore", log, log] },
    );
    const started = new Prometheus(`http://127.0.0.1:${port}`, child);
    const deadline = performance.now() + startsWithinMs;
    for (;;) {
      if (child.exitCode !== null) throw new Error(`prometheus ended: ${join(directory, "prometheus.log")}`);
      const ready = await fetch(`${started.#url}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      );
      if (ready) return started;
      if (performance.now() > deadline) {
        await started.stop();
        throw new Error(`prometheus isn't ready within ${startsWithinMs / 1000} s`);
      }
      await delay(200);
    }
  }

  /** The value of an expression now. @throws {Error} with what is wrong with the expression. */
  async query(expr: string): Promise<readonly Sample[]> {
    const { result } = await this.#ask<{ readonly result: readonly Sample[] }>(
      `query?query=${encodeURIComponent(expr)}`,
    );
    return result;
  }

  async alerts(): Promise<readonly ActiveAlert[]> {
    return (await this.#ask<{ readonly alerts: readonly ActiveAlert[] }>("alerts")).alerts;
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.kill("SIGKILL");
    await ended;
  }

  async #ask<T>(path: string): Promise<T> {
    const response = await fetch(`${this.#url}/api/v1/${path}`, {
      signal: AbortSignal.timeout(answersWithinMs),
    });
    const { data, error } = (await response.json()) as { readonly data?: T; readonly error?: string };
    if (data === undefined) throw new Error(`${path}: ${error}`);
    return data;
  }
}
