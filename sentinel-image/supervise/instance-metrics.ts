import { readFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { askSentinels } from "../../quorum/ask-sentinel.ts";
import type { ControlConnection } from "../../quorum/control-connection.ts";
import { type Address, sameAddress } from "../../runtime/address.ts";
import { certificateEnd } from "../../runtime/certificate-end.ts";
import { type BackupState, backupMetrics } from "../backup/backup-metrics.ts";
import { parseInfo } from "../start/ask-peer.ts";
import { askHeartbeat } from "./heartbeat.ts";
import { infoMetrics } from "./info-metrics.ts";
import { type Metric, renderMetrics } from "./metrics-text.ts";
import { sentinelMetrics } from "./sentinel-metrics.ts";

/** What an instance counts of itself, for its metrics. */
export interface InstanceCounts {
  /** Planned hand-overs that went well, and those that didn't. */
  handedOver: number;
  notHandedOver: number;
  /** For how long the last one had writes paused, ms; undefined: there was none. */
  lastPauseMs: number | undefined;
  /** How redis-server was started: `lead` or `follow`. */
  startedTo: string;
}

export interface InstanceMetricsOptions {
  readonly self: Address;
  readonly masterName: string;
  /** Connections of its own: a question for metrics must not keep one of the supervisor's waiting. */
  readonly server: ControlConnection;
  readonly sentinels: readonly ControlConnection[];
  readonly dataDirectory: string;
  /** Path of its certificate; undefined without TLS. */
  readonly certificate: string | undefined;
  readonly counts: Readonly<InstanceCounts>;
  /** Undefined: there is no destination of backups. */
  readonly backups?: Readonly<BackupState> | undefined;
  /** Whether it follows another Redis, whose data are taken over. */
  readonly isMoving: () => boolean;
}

/** Whoever asks more often gets the same answer, ms: several Prometheus, or somebody who only tries. */
const keptMs = 1000;

/** The metrics of one instance, asked for when somebody asks for them and not before. */
export class InstanceMetrics {
  readonly #options: InstanceMetricsOptions;
  #answer: { readonly atMs: number; readonly text: Promise<string> } | undefined;

  constructor(options: InstanceMetricsOptions) {
    this.#options = options;
  }

  /** In Prometheus' text format. What can't be had is left out; `redis_up` says whether the server answers. */
  render(): Promise<string> {
    const now = performance.now();
    if (this.#answer === undefined || now - this.#answer.atMs > keptMs) {
      this.#answer = { atMs: now, text: this.#collect().then(renderMetrics) };
    }
    return this.#answer.text;
  }

  async #collect(): Promise<Metric[]> {
    const { self, server, sentinels, masterName, dataDirectory, certificate, counts, backups, isMoving } =
      this.#options;
    const [info, heartbeat, { views }, disk] = await Promise.all([
      server.call("INFO", "everything").then(
        (text) => parseInfo(String(text)),
        () => undefined,
      ),
      askHeartbeat(server).catch(() => undefined),
      askSentinels(sentinels, masterName),
      statfs(dataDirectory).catch(() => undefined),
    ]);
    const named = views.filter(({ master }) => sameAddress(master, self)).length;
    const isMaster = info?.get("role") === "master";
    return [
      gauge("redis_up", "1: redis-server answers its supervisor.", info === undefined ? 0 : 1),
      ...(info === undefined ? [] : infoMetrics(info)),
      ...sentinelMetrics(
        sentinels.map(({ address }) => address),
        views,
      ),
      gauge(
        "redis_ha_leads",
        "1: it is the master, and most Sentinels name it.",
        isMaster && 2 * named > sentinels.length ? 1 : 0,
      ),
      gauge(
        "redis_ha_promotable",
        "1: it is a replica that the Sentinels may promote, and linked with the master.",
        info !== undefined &&
          !isMaster &&
          Number(info.get("slave_priority")) > 0 &&
          info.get("master_link_status") === "up"
          ? 1
          : 0,
      ),
      gauge("redis_ha_moving", "1: it follows another Redis, whose data are taken over.", isMoving() ? 1 : 0),
      ...(heartbeat === undefined
        ? []
        : [
            gauge(
              "redis_ha_heartbeat_age_seconds",
              "How old the newest write of the master is that this copy has.",
              Math.max(0, Date.now() - heartbeat.ms) / 1000,
            ),
          ]),
      ...(disk === undefined
        ? []
        : [
            gauge("redis_ha_volume_bytes", "Size of the volume.", disk.blocks * disk.bsize),
            gauge("redis_ha_volume_free_bytes", "What is free of it.", disk.bavail * disk.bsize),
          ]),
      gauge("redis_ha_certificate_end_timestamp_seconds", "When its certificate ends.", endOf(certificate)),
      {
        ...gauge(
          "redis_ha_hand_overs_total",
          "Planned hand-overs of this instance, since its supervisor began.",
          counts.handedOver,
        ),
        labels: { outcome: "handed over" },
      },
      {
        ...gauge("redis_ha_hand_overs_total", "", counts.notHandedOver),
        labels: { outcome: "not handed over" },
      },
      gauge(
        "redis_ha_hand_over_pause_seconds",
        "For how long the last one had writes paused.",
        (counts.lastPauseMs ?? Number.NaN) / 1000,
      ),
      {
        ...gauge("redis_ha_start_info", "How redis-server was started.", 1),
        labels: { started_to: counts.startedTo },
      },
      ...(backups === undefined ? [] : backupMetrics(backups)),
      gauge("redis_ha_supervisor_memory_bytes", "Memory of the supervisor.", process.memoryUsage.rss()),
      gauge("redis_ha_supervisor_cpu_seconds_total", "CPU of the supervisor.", cpuSeconds()),
    ];
  }
}

function gauge(name: string, help: string, value: number): Metric {
  return { name, help, value };
}

/** Seconds since 1970; NaN: there is no certificate, or none that can be read. */
function endOf(certificate: string | undefined): number {
  if (certificate === undefined) return Number.NaN;
  try {
    return (certificateEnd(readFileSync(certificate)) ?? Number.NaN) / 1000;
  } catch {
    return Number.NaN;
  }
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
