import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import type { ChaosReport } from "./run-chaos.ts";
import { summarise } from "./summarise.ts";

const pastRun = z.object({
  /** When it ended, as an ISO date. */
  at: z.string(),
  seed: z.number(),
  durability: z.enum(["async", "sync"]).default("async"),
  clients: z.array(z.string()),
  faults: z.array(z.string()),
  planned: z.number(),
  rounds: z.number(),
  failovers: z.number(),
  seconds: z.number(),
  commands: z.number(),
  lost: z.number(),
  lostAsAllowed: z.number(),
  duplicates: z.number(),
  falseFailovers: z.number(),
  gapP50Ms: z.number().optional(),
  gapMaxMs: z.number().optional(),
  broken: z.number(),
  slow: z.number(),
});

/** What is kept of a run. */
export type PastRun = z.infer<typeof pastRun>;

/** Adds a run to the file of all runs, which is only ever added to. */
export function remember(file: string, report: ChaosReport, at: Date): void {
  const { rounds, seed, durability, clients, faults, planned, seconds } = report;
  const { failovers, sent, lost, lostAsAllowed, duplicates, falseFailovers, gapMs } = summarise(rounds);
  const run: PastRun = {
    ...{
      at: at.toISOString(),
      seed,
      durability,
      clients: [...clients],
      faults: [...faults],
      planned,
      seconds,
    },
    ...{ rounds: rounds.length, failovers, commands: sent, lost, lostAsAllowed, duplicates, falseFailovers },
    ...{ gapP50Ms: gapMs.p50, gapMaxMs: gapMs.max },
    broken: report.violations.length + rounds.filter(({ violations }) => violations.length > 0).length,
    slow: report.slow.length + rounds.filter(({ slow }) => slow.length > 0).length,
  };
  mkdirSync(dirname(file), { recursive: true });
  appendFileSync(file, `${JSON.stringify(run)}\n`);
}

/** All runs, the oldest first; lines that can't be read are left out, since a run may have been cut short while it wrote. */
export function readPastRuns(file: string): PastRun[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .flatMap((line) => {
      try {
        return [pastRun.parse(JSON.parse(line))];
      } catch {
        return [];
      }
    });
}

/** The runs as a table for people. */
export function renderPastRuns(runs: readonly PastRun[]): string {
  const head =
    "when                  seed        mode   faults    failovers  commands  lost  expected  twice  gap p50/max ms  broken  slow";
  const rows = runs.map((run) =>
    [
      run.at.slice(0, 19).replace("T", " ").padEnd(21),
      String(run.seed).padEnd(11),
      run.durability.padEnd(6),
      `${run.rounds}/${run.planned}`.padEnd(9),
      String(run.failovers).padEnd(10),
      String(run.commands).padEnd(9),
      String(run.lost).padEnd(5),
      String(run.lostAsAllowed).padEnd(9),
      String(run.duplicates).padEnd(6),
      `${run.gapP50Ms?.toFixed(0) ?? "–"}/${run.gapMaxMs?.toFixed(0) ?? "–"}`.padEnd(15),
      String(run.broken).padEnd(7),
      String(run.slow),
    ].join(" "),
  );
  return rows.length === 0 ? "No run yet." : [head, ...rows].join("\n");
}
