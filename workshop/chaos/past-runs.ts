import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { percentile } from "./percentile.ts";
import type { ChaosReport } from "./run-chaos.ts";
import type { StackChaosReport } from "./stack/run-stack-chaos.ts";
import { summarise } from "./summarise.ts";

const pastRun = z.object({
  /** When it ended, as an ISO date. */
  at: z.string(),
  /** `local`, or the namespace of a stack. */
  where: z.string().default("local"),
  seed: z.number(),
  /** Not known of a stack. */
  durability: z.enum(["async", "sync", "quorum"]).optional(),
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

/** What is kept of a run on this machine. */
export function pastLocalRun(report: ChaosReport, at: Date): PastRun {
  const { rounds, seed, durability, clients, faults, planned, seconds } = report;
  const { failovers, sent, lost, lostAsAllowed, duplicates, falseFailovers, gapMs } = summarise(rounds);
  return {
    ...{ at: at.toISOString(), where: "local", seed, durability, planned, seconds },
    ...{ clients: [...clients], faults: [...faults], rounds: rounds.length },
    ...{ failovers, commands: sent, lost, lostAsAllowed, duplicates, falseFailovers },
    ...{ gapP50Ms: gapMs.p50, gapMaxMs: gapMs.max },
    broken: report.violations.length + countWith(rounds, "violations"),
    slow: report.slow.length + countWith(rounds, "slow"),
  };
}

/** What is kept of a run against a stack, where nobody counts failovers and no loss is expected. */
export function pastStackRun(report: StackChaosReport, at: Date): PastRun {
  const { rounds, seed, namespace, clients, planned, seconds } = report;
  const books = rounds.flatMap((round) => round.clients);
  const sum = (count: (book: (typeof books)[number]) => number): number =>
    books.reduce((total, book) => total + count(book), 0);
  const gaps = rounds.map(({ gapMs }) => gapMs);
  return {
    ...{ at: at.toISOString(), where: namespace, seed, planned, seconds },
    ...{ clients: [...clients], faults: [...new Set(rounds.map(({ fault }) => fault))] },
    ...{ rounds: rounds.length, failovers: 0, lostAsAllowed: 0, falseFailovers: 0 },
    commands: sum(({ sent }) => sent),
    lost: sum(({ lost }) => lost.length),
    duplicates: sum(({ duplicates }) => duplicates.length),
    ...{ gapP50Ms: percentile(gaps, 0.5), gapMaxMs: percentile(gaps, 1) },
    broken: report.violations.length + countWith(rounds, "violations"),
    slow: countWith(rounds, "slow"),
  };
}

function countWith<Key extends string>(
  rounds: readonly Readonly<Record<Key, readonly string[]>>[],
  what: Key,
): number {
  return rounds.filter((round) => round[what].length > 0).length;
}

/** Adds a run to the file of all runs, which is only ever added to. */
export function remember(file: string, run: PastRun): void {
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
    "when                  where           seed        mode   faults    failovers  commands  lost  expected  twice  gap p50/max ms  broken  slow";
  const rows = runs.map((run) =>
    [
      run.at.slice(0, 19).replace("T", " ").padEnd(21),
      run.where.padEnd(15),
      String(run.seed).padEnd(11),
      (run.durability ?? "–").padEnd(6),
      `${run.rounds}/${run.planned}`.padEnd(9),
      (run.where === "local" ? String(run.failovers) : "–").padEnd(10),
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
