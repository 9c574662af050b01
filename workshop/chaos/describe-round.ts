import { checkRegisters } from "./check-registers.ts";
import { checkLedger } from "./checker.ts";
import { describeEvents } from "./describe-events.ts";
import { describeFailures } from "./describe-failures.ts";
import { excuseLateWrites } from "./excuse-late-writes.ts";
import { judgeRound, judgeTimes } from "./expectations.ts";
import { type DurabilityMode, type Fault, mayLoseWith } from "./faults/fault.ts";
import { type Announcement, type Execution, findStaleWrites, thoseThatLed } from "./find-stale-writes.ts";
import type { FinalData, History } from "./history.ts";
import { isIn, lossPeriods } from "./loss-periods.ts";
import { announcementToWrite, measureStalls, writeKey } from "./measure-stalls.ts";
import type { RoundReport } from "./round-report.ts";
import type { SentinelEvent } from "./sentinel-announcements.ts";
import { countOverTime } from "./timeline.ts";
import { traceDuplicates } from "./trace-duplicates.ts";

/** A fault that is over, and all that was seen of it. Times are ms of the monotonic clock. */
export interface RoundRecord {
  readonly fault: Fault;
  readonly durability: DurabilityMode;
  readonly round: number;
  readonly faultAtMs: number;
  /** When all was well again, and every client wrote. */
  readonly recoveredMs: number;
  readonly history: History;
  /** What the master holds in the end. */
  readonly data: FinalData;
  /** What each instance executed. */
  readonly executions: readonly Execution[];
  readonly events: readonly SentinelEvent[];
  readonly announcements: readonly Announcement[];
  /** The first announcement of another master. */
  readonly first: Announcement | undefined;
  /** When that one took a write that was sent straight to it. */
  readonly acceptedAtMs: number | undefined;
  readonly broken: readonly string[];
  /** Clients whose proxy was cut off. */
  readonly cutOff: ReadonlySet<string>;
}

/** Checks the books of a round, measures it and judges it. Pure. */
export function describeRound(record: RoundRecord): RoundReport {
  const {
    fault,
    durability,
    round,
    faultAtMs,
    recoveredMs,
    history,
    executions,
    first,
    acceptedAtMs,
    cutOff,
  } = record;
  const { operations, disconnects } = history;
  const clients = [...new Set(operations.map(({ client }) => client))];
  const elsewhere = new Set(
    executions.filter(({ instance }) => instance.port !== first?.master.port).map(writeKey),
  );
  const mayLose = lossPeriods(fault.allows, cutOff, faultAtMs, recoveredMs, clients);
  const { stale, late } = excuseLateWrites(
    findStaleWrites(
      executions,
      durability === "quorum" ? thoseThatLed(record.announcements, executions) : record.announcements,
    ).filter((write) => !isIn(mayLose.get(write.client), write.atMs)),
    operations,
    faultAtMs,
  );
  const stalls = measureStalls(operations, faultAtMs);
  const gaps = Object.entries(stalls.writeGapMs).filter(([client]) => !cutOff.has(client));
  const report = {
    round,
    fault: fault.name,
    failover: fault.failover === "maybe" ? first !== undefined : fault.failover,
    falseFailover: fault.failover === false && first !== undefined,
    gapMs: gaps.length === 0 ? undefined : Math.max(...gaps.map(([, ms]) => ms)),
    gapBoundMs: fault.gapMs,
    timeline: countOverTime(
      operations.filter(({ client }) => !cutOff.has(client)),
      faultAtMs,
    ),
    events: describeEvents(record.events, faultAtMs),
    cutOff: [...cutOff],
    broken: record.broken,
    clients: checkLedger(history, record.data, mayLose, mayLoseWith(durability, fault)),
    stalls,
    registers: checkRegisters(operations, { beginMs: faultAtMs, endMs: recoveredMs }),
    announcedAfterMs: first && first.atMs - faultAtMs,
    announcedBy: first?.channel,
    announcementToAcceptMs: first && acceptedAtMs && acceptedAtMs - first.atMs,
    announcementToWriteMs: first && announcementToWrite(operations, first.atMs, elsewhere),
    staleWrites: stale.map(
      (write) =>
        `${writeKey(write)} on port ${write.instance.port}, ${Math.round(write.atMs - (first?.atMs ?? 0))} ms late`,
    ),
    lateWrites: late.length,
    duplicateTraces: traceDuplicates(executions, history, faultAtMs),
    failures: describeFailures(operations, faultAtMs),
    disconnects: disconnects.map(({ client, reason }) => `${client}: ${reason}`),
  };
  return { ...report, violations: judgeRound(report, fault, durability), slow: judgeTimes(report, fault) };
}
