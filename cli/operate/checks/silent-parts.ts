import type { Check, Finding } from "./finding.ts";
import { readLog, revive } from "./finding.ts";

/** Parts that don't answer: whatever else is wrong may come of that. */
export const silentParts: readonly Check[] = [
  {
    name: "redis-busy",
    summary: "a script or a function keeps a Redis from answering",
    find: ({ redis }) =>
      redis.flatMap(({ name, problem }) =>
        problem !== undefined && /\bBUSY\b/.test(problem)
          ? [
              {
                subject: name,
                severity: "error" as const,
                finding: "a script keeps it busy: it answers nothing else",
                cure: "SCRIPT KILL, or FUNCTION KILL, by the proxy; one that has written is ended only with its server",
              },
            ]
          : [],
      ),
  },
  {
    name: "redis-silent",
    summary: "a Redis that doesn't answer",
    find: (seen) =>
      seen.redis.flatMap(({ name, problem, machine }) =>
        problem === undefined || machine.fenced !== undefined || /\bBUSY\b/.test(problem)
          ? []
          : [silent(name, problem, revive(name, seen))],
      ),
  },
  {
    name: "redis-fenced",
    summary: "an instance that an operator has fenced",
    find: ({ redis }) =>
      redis.flatMap(({ name, machine: { fenced } }) =>
        fenced === undefined
          ? []
          : [
              {
                subject: name,
                severity: "warning" as const,
                finding: `fenced: ${fenced}. One copy of the data is missing`,
                cure: `redis-ha unfence ${name}, when the work on it is done`,
              },
            ],
      ),
  },
  {
    name: "sentinel-lost-master",
    summary: "a Sentinel that knows no master of this name",
    find: (seen) =>
      seen.sentinels.flatMap(({ name, problem }) =>
        problem?.includes("doesn't know the master")
          ? [silent(name, problem, `restart it, it writes its file anew: ${revive(name, seen)}`)]
          : [],
      ),
  },
  {
    name: "sentinel-silent",
    summary: "a Sentinel that doesn't answer",
    find: (seen) =>
      seen.sentinels.flatMap(({ name, problem }) =>
        problem === undefined || problem.includes("doesn't know the master")
          ? []
          : [silent(name, problem, revive(name, seen))],
      ),
  },
  {
    name: "redis-loading",
    summary: "a Redis that still loads its data",
    find: (seen) =>
      seen.redis.flatMap(({ name, info }) =>
        info.loading === "1"
          ? [
              {
                subject: name,
                severity: "warning" as const,
                finding: `it loads its data, ${info.loading_loaded_perc ?? "?"} %`,
                cure: `wait, about ${info.loading_eta_seconds ?? "?"} s; ${readLog(name, seen)}`,
              },
            ]
          : [],
      ),
  },
];

function silent(subject: string, problem: string, cure: string): Omit<Finding, "check"> {
  return { subject, severity: "error", finding: `it doesn't answer: ${problem}`, cure };
}
