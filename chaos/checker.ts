import { classifyError, saysNotExecuted } from "./classify-error.ts";
import { excuseLosses } from "./excuse-losses.ts";
import { findReorderings, type PlacedWrite, type Reordering } from "./find-reorderings.ts";
import {
  type ClientData,
  type Disconnect,
  type FinalData,
  type History,
  isOwnTimeout,
  isWrite,
  type Operation,
} from "./history.ts";
import { isIn, type LossPeriod } from "./loss-periods.ts";

/** What became of one client's commands. */
export interface ClientReport {
  readonly client: string;
  readonly sent: number;
  readonly acknowledged: number;
  /** Commands that may or may not have run: the error doesn't say that they didn't. Reads are not among them. */
  readonly unknown: number;
  /** Commands that never got an answer. */
  readonly open: number;
  /** Error class → number of commands. */
  readonly errors: Readonly<Record<string, number>>;
  /** Those of reads alone. */
  readonly readErrors: Readonly<Record<string, number>>;
  /** Connections that the other side ended. */
  readonly disconnects: number;
  /** Connections that the client ended itself: go-redis and redis-py wait 5 s for an answer, and then ask again. */
  readonly ownTimeouts: number;
  /** Each execution too many: `RPUSH 17`, or `INCR` for one of a counter. */
  readonly duplicates: readonly string[];
  /** Acknowledged and not there. */
  readonly lost: readonly string[];
  /** The same, acknowledged in the time in which the fault allows it: without durability nobody can prevent that. */
  readonly lostAsAllowed: readonly string[];
  /** The error said that the command wasn't executed, and it was. */
  readonly refusedButExecuted: readonly string[];
  readonly reordered: readonly Reordering[];
  /** Writes whose outcome was unknown, and that are there. */
  readonly recovered: number;
  /** Elements that are there and that this client never wrote. */
  readonly phantom: readonly string[];
  /** Reads of the list that gave elements which are gone, or in another order, in the end. */
  readonly rolledBack: readonly string[];
  /** Values that this client never wrote, and reads that didn't give an acknowledged value. */
  readonly wrong: readonly string[];
}

const noData: ClientData = { counter: 0, list: [], strings: new Map() };

/**
 * Compares what the clients were told with what the master holds. Pure.
 *
 * @param mayLose by client, the time in which acknowledged writes may be lost.
 */
export function checkLedger(
  history: History,
  data: FinalData,
  mayLose: ReadonlyMap<string, LossPeriod> = new Map(),
): ClientReport[] {
  const clients = new Set([...history.operations.map(({ client }) => client), ...data.keys()]);
  return [...clients].sort().map((client) =>
    checkClient(
      client,
      history.operations.filter((operation) => operation.client === client),
      history.disconnects.filter((disconnect) => disconnect.client === client),
      data.get(client) ?? noData,
      mayLose.get(client),
    ),
  );
}

function checkClient(
  client: string,
  operations: readonly Operation[],
  disconnects: readonly Disconnect[],
  data: ClientData,
  mayLose: LossPeriod | undefined,
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
    mayLose,
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

type Findings = Partial<
  Pick<
    ClientReport,
    "duplicates" | "lost" | "refusedButExecuted" | "reordered" | "recovered" | "phantom" | "wrong"
  >
>;

/** A counter doesn't tell which of its increments is missing or too much, only how many. */
function checkCounter(operations: readonly Operation[], counter: number): Findings {
  const acknowledged = operations.filter(isAcknowledged);
  const unknown = operations.filter(isUnknown).length;
  const byValue = new Map<number, Operation>();
  let repeated = 0;
  for (const operation of acknowledged) {
    const value = Number(answerOf(operation));
    // The same number twice: what the first one counted was gone when the second one came.
    if (byValue.has(value)) repeated++;
    byValue.set(value, operation);
  }
  const lost = Math.max(
    acknowledged.length - counter,
    repeated,
    [...byValue.keys()].filter((v) => v > counter).length,
  );
  const tooMany = counter - acknowledged.length - unknown;
  const inOrder = [...byValue].sort(([a], [b]) => a - b).map(([, operation]) => placed(operation));
  return {
    duplicates: times(tooMany, "INCR"),
    lost: times(lost, "INCR"),
    // After a loss numbers are given again, and their order means nothing.
    reordered: lost > 0 ? [] : findReorderings(inOrder),
  };
}

function times(count: number, text: string): string[] {
  return Array.from({ length: Math.max(0, count) }, () => text);
}

function checkList(operations: readonly Operation[], list: readonly string[]): Findings {
  const byId = new Map(operations.map((operation) => [operation.id, operation]));
  const seen = new Set<string>();
  const duplicates: string[] = [];
  const refusedButExecuted: string[] = [];
  const phantom: string[] = [];
  let recovered = 0;
  const inOrder: PlacedWrite[] = [];
  for (const id of list) {
    const operation = byId.get(id);
    if (seen.has(id)) duplicates.push(`RPUSH ${id}`);
    else if (operation === undefined) phantom.push(`RPUSH ${id}`);
    else {
      if (isUnknown(operation)) recovered++;
      if (isRefused(operation)) refusedButExecuted.push(`RPUSH ${id}`);
      inOrder.push(placed(operation));
    }
    seen.add(id);
  }
  const lost = operations.filter((operation) => isAcknowledged(operation) && !seen.has(operation.id));
  return {
    duplicates,
    lost: lost.map(({ id }) => `RPUSH ${id}`),
    refusedButExecuted,
    reordered: findReorderings(inOrder),
    recovered,
    phantom,
  };
}

/** Members have no order, and a second SADD leaves no trace but its answer. */
function checkSet(operations: readonly Operation[], set: ReadonlySet<string>): Findings {
  const known = new Set(operations.map(({ id }) => id));
  const name = ({ id }: Pick<Operation, "id">): string => `SADD ${id}`;
  const present = operations.filter(({ id }) => set.has(id));
  return {
    duplicates: operations
      .filter((operation) => isAcknowledged(operation) && answerOf(operation) === "0")
      .map(name),
    lost: operations.filter((operation) => isAcknowledged(operation) && !set.has(operation.id)).map(name),
    refusedButExecuted: present.filter(isRefused).map(name),
    recovered: present.filter(isUnknown).length,
    phantom: [...set].filter((id) => !known.has(id)).map((id) => name({ id })),
  };
}

/** Whatever was read of a list that only grows is how it begins for ever. */
function checkListReads(
  reads: readonly Operation[],
  list: readonly string[],
  mayLose: LossPeriod | undefined,
): string[] {
  const mayBeUndone = mayLose && { ...mayLose, endMs: mayLose.readsUntilMs };
  return reads
    .filter((read) => isAcknowledged(read) && !isIn(mayBeUndone, read.endedMs))
    .flatMap((read) => {
      const elements = answerOf(read) === "" ? [] : answerOf(read).split(",");
      const at = elements.findIndex((element, i) => element !== list[i]);
      return at < 0 ? [] : [`LRANGE gave ${elements[at]} at place ${at}, where ${list[at] ?? "nothing"} is`];
    });
}

function checkStrings(operations: readonly Operation[], strings: ReadonlyMap<string, string>): Findings {
  const lost: string[] = [];
  const refusedButExecuted: string[] = [];
  const wrong: string[] = [];
  for (const operation of operations) {
    const { id } = operation;
    const value = strings.get(id);
    if (value === undefined && isAcknowledged(operation)) lost.push(`SET ${id}`);
    if (value !== undefined && isRefused(operation)) refusedButExecuted.push(`SET ${id}`);
    if (value !== undefined && value !== id) wrong.push(`SET ${id} holds '${value}'`);
  }
  return { lost, refusedButExecuted, wrong };
}

/** Whoever reads a key after its SET was acknowledged must find it. */
function checkReads(reads: readonly Operation[], writes: readonly Operation[]): string[] {
  const writtenAt = new Map(writes.filter(isAcknowledged).map(({ id, endedMs }) => [id, endedMs]));
  return reads
    .filter((read) => isAcknowledged(read) && answerOf(read) === "")
    .filter((read) => (writtenAt.get(read.id) ?? Number.POSITIVE_INFINITY) <= read.sentMs)
    .map((read) => `GET ${read.id} gave '${answerOf(read)}'`);
}

/** What each command's answer looks like: another one belongs to another command, or to another client. */
const answerOfCommand: Readonly<Record<Operation["command"], (answer: string, id: string) => boolean>> = {
  INCR: (answer) => /^[1-9]\d*$/.test(answer),
  RPUSH: (answer) => /^[1-9]\d*$/.test(answer),
  SET: (answer) => answer === "OK",
  // No value is for checkReads.
  GET: (answer, id) => answer === "" || answer === id,
  SADD: (answer) => answer === "0" || answer === "1",
  LRANGE: (answer) => /^$|^\d+(,\d+)*$/.test(answer),
  WRITE: (answer) => answer === "OK",
  READ: (answer) => answer === "" || answer.includes("/"),
};

function checkAnswers(operations: readonly Operation[]): string[] {
  return operations
    .filter((operation) => isAcknowledged(operation))
    .filter((operation) => !answerOfCommand[operation.command](answerOf(operation), operation.id))
    .map((operation) => `${operation.command} ${operation.id} was answered '${answerOf(operation)}'`);
}

function isAcknowledged({ outcome }: Operation): boolean {
  return outcome.kind === "acknowledged";
}

function answerOf({ outcome }: Operation): string {
  return outcome.kind === "acknowledged" ? outcome.value : "";
}

function isRefused({ outcome }: Operation): boolean {
  return outcome.kind === "error" && saysNotExecuted(classifyError(outcome.text));
}

function isUnknown(operation: Operation): boolean {
  return !isAcknowledged(operation) && !isRefused(operation);
}

function placed(operation: Operation): PlacedWrite {
  const acknowledgedMs = isAcknowledged(operation) ? operation.endedMs : Number.POSITIVE_INFINITY;
  return { id: `${operation.command} ${operation.id}`, sentMs: operation.sentMs, acknowledgedMs };
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
