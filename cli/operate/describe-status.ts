import type { FailoverStory } from "./last-failover.ts";
import type { ProxyStatus, RedisStatus, SentinelStatus, StatusReport } from "./status-report.ts";

/** The report for people. */
export function describeStatus(report: StatusReport): string {
  const { master, noMaster, redis, sentinels, proxies, lastFailover } = report;
  const lead =
    master === undefined
      ? `No master: ${noMaster}`
      : `Master: ${master.name} (${master.address}), epoch ${master.epoch}`;
  return [
    `${lead}${report.failoverUnderWay ? "; a failover is under way" : ""}`,
    "",
    ...table(redis, ({ version, offset, behindBytes }) => [
      version,
      offset === undefined ? "" : `offset ${offset}`,
      behindBytes === undefined ? "" : `${behindBytes} bytes behind`,
    ]),
    "",
    ...table(sentinels, ({ version }: SentinelStatus) => [version]),
    "",
    ...table(proxies, ({ following }: ProxyStatus) => [following === false ? "follows no master" : ""]),
    "",
    ...(lastFailover === undefined ? ["No failover in the logs."] : describeFailover(lastFailover)),
  ].join("\n");
}

function table<Part extends RedisStatus | SentinelStatus | ProxyStatus>(
  parts: readonly Part[],
  more: (part: Part) => readonly string[],
): string[] {
  const rows = parts.map((part) => [
    part.healthy ? "ok" : "NO",
    part.name,
    part.address,
    [part.state, ...more(part)].filter(Boolean).join(", "),
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

function describeFailover({ kind, from, to, at, phases, pausedMs }: FailoverStory): string[] {
  const pause = pausedMs === undefined ? "" : `, writes paused for ${pausedMs} ms`;
  return [
    `Last failover (${kind === "planned" ? "planned" : "the master was down"}): ${from} → ${to}, ${at}${pause}`,
    ...phases.map(({ name, ms }) => `  ${String(ms).padStart(6)} ms  ${name}`),
  ];
}
