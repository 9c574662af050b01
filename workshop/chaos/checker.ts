import { checkAnswers, checkListReads, checkReads } from "./check-reads.ts";
import { checkCounter, checkList, checkSet, checkStrings } from "./check-writes.ts";
import { classifyError } from "./classify-error.ts";
import type { ClientReport } from "./client-report.ts";
import { excuseLosses } from "./excuse-losses.ts";
import {
  type ClientData,
  type Disconnect,
  type FinalData,
  type History,
  isOwnTimeout,
  isWrite,
  type Operation,
} from "./history.ts";
import type { LossPeriod } from "./loss-periods.ts";
import { isAcknowledged, isUnknown } from "./outcomes.ts";

const noData: ClientData = { counter: 0, list: [], strings: new Map() };

/**
 * Compares what the clients were told with what the master holds. Pure.
 *
 * @param mayLose by client, the time in which acknowledged writes may be lost without durability, and reads undone with it, too.
 * @param excuses whether they may be lost in that time.
 */
export function checkLedger(
  history: History,
  data: FinalData,
  mayLose: ReadonlyMap<string, LossPeriod> = new Map(),
  excuses = true,
): ClientReport[] {
  const clients = new Set([...history.operations.map(({ client }) => client), ...data.keys()]);
  return [...clients].sort().map((client) =>
    checkClient(
      client,
      history.operations.filter((operation) => operation.client === client),
      history.disconnects.filter((disconnect) => disconnect.client === client),
      data.get(client) ?? noData,
      mayLose.get(client),
      excuses,
    ),
  );
}

function checkClient(
  client: string,
  operations: readonly Operation[],
  disconnects: readonly Disconnect[],
  data: ClientData,
  mayLose: LossPeriod | undefined,
  excuses: boolean,
): ClientReport {
  const of = (command: Operation["command"]): Operation[] =>
    operations.filter((operation) => operation.command === command);
  const counters = checkCounter(of("INCR"), data.counter);
  const lists = checkList(of("RPUSH"), data.list);
  const strings = checkStrings(of("SET"), data.strings);
  const sets = checkSet(of("SADD"), data.set ?? new Set());
  const parts = [lists, strings, counters, sets];
  const gone = excuseLosses(
    parts.flatMap(({ lost = [] }) => lost),
    operations,
    excuses ? mayLose : undefined,
  );
  return {
    client,
    sent: operations.length,
    acknowledged: operations.filter(isAcknowledged).length,
    unknown: operations.filter((operation) => isWrite(operation) && isUnknown(operation)).length,
    open: operations.filter(({ outcome }) => outcome.kind === "open").length,
    errors: countErrors(operations),
    readErrors: countErrors(operations.filter((operation) => !isWrite(operation))),
    disconnects: disconnects.filter((disconnect) => !isOwnTimeout(disconnect)).length,
    ownTimeouts: disconnects.filter(isOwnTimeout).length,
    duplicates: parts.flatMap(({ duplicates = [] }) => duplicates),
    ...gone,
    refusedButExecuted: parts.flatMap(({ refusedButExecuted = [] }) => refusedButExecuted),
    reordered: parts.flatMap(({ reordered = [] }) => reordered),
    recovered: parts.reduce((total, { recovered = 0 }) => total + recovered, 0),
    phantom: parts.flatMap(({ phantom = [] }) => phantom),
    rolledBack: checkListReads(of("LRANGE"), data.list, mayLose),
    wrong: [
      ...parts.flatMap(({ wrong = [] }) => wrong),
      ...checkReads(
        of("GET"),
        of("SET").filter(({ id }) => !gone.lostAsAllowed.includes(`SET ${id}`)),
      ),
      ...checkAnswers(operations),
    ],
  };
}

function countErrors(operations: readonly Operation[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { outcome } of operations) {
    if (outcome.kind !== "error") continue;
    const errorClass = classifyError(outcome.text);
    counts[errorClass] = (counts[errorClass] ?? 0) + 1;
  }
  return counts;
}
