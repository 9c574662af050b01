import { percentile } from "./percentile.ts";
import type { RoundReport } from "./round-report.ts";

/** Totals of some rounds. Times are in ms; undefined where no round has one. */
export interface Summary {
  readonly rounds: number;
  readonly failovers: number;
  readonly sent: number;
  readonly acknowledged: number;
  readonly unknown: number;
  readonly open: number;
  readonly duplicates: number;
  readonly lost: number;
  readonly lostAsAllowed: number;
  readonly recovered: number;
  /** Refused but executed, or never written. */
  readonly phantom: number;
  readonly rolledBack: number;
  readonly falseFailovers: number;
  readonly registers: Readonly<Record<"checked" | "violated" | "violatedAroundFault", number>>;
  readonly gapMs: Spread;
  /** In the wrong order, or wrong otherwise. */
  readonly otherWrong: number;
  readonly errors: Readonly<Record<string, number>>;
  readonly disconnects: number;
  readonly ownTimeouts: number;
  readonly staleWrites: number;
  readonly lateWrites: number;
  readonly longestStallMs: number;
  readonly faultToWriteMs: Spread;
  readonly announcementToAcceptMs: Spread;
  readonly announcementToWriteMs: Spread;
  readonly addedMs: Spread;
}

/** Median, 99th percentile and maximum. */
export interface Spread {
  readonly p50: number | undefined;
  readonly p99: number | undefined;
  readonly max: number | undefined;
}

/**
 * What the proxy itself adds before the first write: from when a direct write was taken, or from the announcement if that
 * came later.
 */
export function addedMs({ announcementToAcceptMs: accept, announcementToWriteMs: write }: RoundReport) {
  return write === undefined ? undefined : Math.max(0, write - Math.max(0, accept ?? 0));
}

/** @param client only this one's books; times are those of all clients. */
export function summarise(rounds: readonly RoundReport[], client?: string): Summary {
  const clients = rounds.flatMap((round) =>
    round.clients.filter((report) => client === undefined || report.client === client),
  );
  const sum = (count: (report: (typeof clients)[number]) => number): number =>
    clients.reduce((all, report) => all + count(report), 0);
  const total = (count: (round: RoundReport) => number): number =>
    rounds.reduce((all, round) => all + count(round), 0);
  const errors: Record<string, number> = {};
  for (const report of clients) {
    for (const [name, count] of Object.entries(report.errors)) errors[name] = (errors[name] ?? 0) + count;
  }
  const stalls = rounds.flatMap(({ stalls: { longestStallMs } }) =>
    Object.entries(longestStallMs).flatMap(([name, ms]) =>
      client === undefined || name === client ? [ms] : [],
    ),
  );
  return {
    rounds: rounds.length,
    failovers: rounds.filter(({ failover }) => failover).length,
    sent: sum(({ sent }) => sent),
    acknowledged: sum(({ acknowledged }) => acknowledged),
    unknown: sum(({ unknown }) => unknown),
    open: sum(({ open }) => open),
    duplicates: sum(({ duplicates }) => duplicates.length),
    lost: sum(({ lost }) => lost.length),
    lostAsAllowed: sum(({ lostAsAllowed }) => lostAsAllowed.length),
    recovered: sum(({ recovered }) => recovered),
    phantom: sum(({ phantom, refusedButExecuted }) => phantom.length + refusedButExecuted.length),
    rolledBack: sum(({ rolledBack }) => rolledBack.length),
    falseFailovers: rounds.filter(({ falseFailover }) => falseFailover).length,
    registers: {
      checked: total(({ registers }) => registers.checked),
      violated: total(({ registers }) => registers.violated.length),
      violatedAroundFault: total(({ registers }) => registers.violatedAroundFault.length),
    },
    gapMs: spread(rounds.map(({ gapMs }) => gapMs)),
    otherWrong: sum(({ reordered, wrong }) => reordered.length + wrong.length),
    errors,
    disconnects: sum(({ disconnects }) => disconnects),
    ownTimeouts: sum(({ ownTimeouts }) => ownTimeouts),
    staleWrites: total(({ staleWrites }) => staleWrites.length),
    lateWrites: total(({ lateWrites }) => lateWrites),
    longestStallMs: Math.max(0, ...stalls),
    faultToWriteMs: spread(rounds.map(({ stalls: { faultToWriteMs } }) => faultToWriteMs)),
    announcementToAcceptMs: spread(rounds.map((round) => round.announcementToAcceptMs)),
    announcementToWriteMs: spread(rounds.map((round) => round.announcementToWriteMs)),
    addedMs: spread(rounds.map(addedMs)),
  };
}

function spread(values: readonly (number | undefined)[]): Spread {
  const known = values.filter((value) => value !== undefined);
  return { p50: percentile(known, 0.5), p99: percentile(known, 0.99), max: percentile(known, 1) };
}
