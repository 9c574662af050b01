import type { Operation } from "./history.ts";
import { isIn, type LossPeriod } from "./loss-periods.ts";
import { answerOf, isAcknowledged } from "./outcomes.ts";

/** Whoever reads a key after its SET was acknowledged must find it. */
export function checkReads(reads: readonly Operation[], writes: readonly Operation[]): string[] {
  const writtenAt = new Map(writes.filter(isAcknowledged).map(({ id, endedMs }) => [id, endedMs]));
  return reads
    .filter((read) => isAcknowledged(read) && answerOf(read) === "")
    .filter((read) => (writtenAt.get(read.id) ?? Number.POSITIVE_INFINITY) <= read.sentMs)
    .map((read) => `GET ${read.id} gave '${answerOf(read)}'`);
}

/** Whatever was read of a list that only grows is how it begins for ever. */
export function checkListReads(
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

/** Answers that are none of this command's. */
export function checkAnswers(operations: readonly Operation[]): string[] {
  return operations
    .filter((operation) => isAcknowledged(operation))
    .filter((operation) => !answerOfCommand[operation.command](answerOf(operation), operation.id))
    .map((operation) => `${operation.command} ${operation.id} was answered '${answerOf(operation)}'`);
}
