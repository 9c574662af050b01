import { readFileSync } from "node:fs";
import { describeVersion } from "../../../runtime/engine.ts";
import { messageOf } from "../../../runtime/log.ts";
import { UserError } from "../../../runtime/user-error.ts";
import { describeStatus } from "../describe-status.ts";
import { checks, examine, isWell } from "../doctor.ts";
import type { PartLog } from "../logs/part-log.ts";
import type { Observation } from "../observation.ts";
import { reportStatus } from "../status-report.ts";
import type { Target } from "../target.ts";
import type { Missing, ReportDocument, Surroundings } from "./surroundings.ts";

const { version } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

/**
 * Collects what a report holds; nothing is hidden yet. What can't be had is told, and the rest goes on.
 *
 * @throws {UserError} when nothing can be had.
 */
export async function collectReport(
  target: Target,
  lines: number,
  onProgress: (step: string) => void,
): Promise<Surroundings> {
  const missing: Missing[] = [];
  const attempt = async <T>(step: string, take: () => Promise<T>): Promise<T | undefined> => {
    onProgress(step);
    try {
      return await take();
    } catch (error) {
      missing.push({ what: step, why: messageOf(error) });
      return undefined;
    }
  };
  const seen = await attempt("status and doctor: asking every part", () => target.observe({ logs: true }));
  const around = await attempt("settings and what the parts run on", () => target.lookAround());
  const logs = await attempt(`the last ${lines} lines of each log`, () =>
    target.readLogs({ parts: [], lines }),
  );
  if (seen === undefined && logs === undefined) {
    const [first] = missing;
    throw new UserError(`Nothing can be had of it, and no report was made. ${first?.why}`);
  }
  return {
    documents: [
      { path: "versions.json", content: versionsOf(seen) },
      ...(seen === undefined ? [] : describeObservation(seen)),
      ...(around?.documents ?? []),
      ...(logs ?? []).map(({ part, lines: text }) => ({
        path: `logs/${part}.log`,
        content: `${text.join("\n")}\n`,
      })),
    ],
    missing: [
      ...missing,
      ...(seen === undefined ? [] : silentParts(seen)),
      ...(around?.missing ?? []),
      ...(logs ?? []).flatMap(missingLogs),
    ],
    secrets: around?.secrets ?? [],
  };
}

function versionsOf(seen: Observation | undefined): object {
  const servers = [...(seen?.redis ?? []), ...(seen?.sentinels ?? [])];
  return {
    redisHa: version,
    node: process.version,
    platform: process.platform,
    servers: Object.fromEntries(servers.map(({ name, info }) => [name, describeVersion(info) || null])),
  };
}

function describeObservation(seen: Observation): ReportDocument[] {
  const { redis, sentinels, proxies, events } = seen;
  const status = reportStatus(seen);
  const findings = examine(seen);
  return [
    { path: "status.json", content: status },
    { path: "status.txt", content: `${describeStatus(status)}\n` },
    { path: "doctor.json", content: { well: isWell(findings), checks: checks.length, findings } },
    { path: "redis.json", content: redis },
    { path: "sentinels.json", content: sentinels },
    { path: "proxies.json", content: proxies },
    { path: "failovers.json", content: events },
  ];
}

function silentParts({ redis, sentinels, proxies }: Observation): Missing[] {
  return [...redis, ...sentinels, ...proxies].flatMap(({ name, problem }) =>
    problem === undefined ? [] : [{ what: `answers of ${name}`, why: problem }],
  );
}

function missingLogs({ part, problem, previousProblem }: PartLog): Missing[] {
  return [
    ...(problem === undefined ? [] : [{ what: `log of ${part}`, why: problem }]),
    ...(previousProblem === undefined
      ? []
      : [{ what: `log of ${part} before it was started again`, why: previousProblem }]),
  ];
}
