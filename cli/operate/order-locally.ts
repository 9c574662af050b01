import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  answeredWithinMs,
  answerFile,
  type HandOverAnswer,
  type HandOverOrder,
  orderFile,
  readAnswer,
} from "../../runtime/hand-over-order.ts";
import { replaceFile } from "../../runtime/replace-file.ts";
import { UserError } from "../../runtime/user-error.ts";

/** Why nobody has answered. @param taken whether the order was. */
export function unanswered(name: string, taken: boolean): UserError {
  const seconds = answeredWithinMs / 1000;
  return new UserError(
    taken
      ? `${name} took the order and didn't answer within ${seconds} s: redis-ha status says who leads.`
      : `${name} didn't take the order within ${seconds} s: its supervisor doesn't run, or is older than this command. The order was taken back.`,
  );
}

/** Orders a hand-over from an instance of this machine. @throws {UserError} when it doesn't answer. */
export async function orderLocally(
  name: string,
  stateDirectory: string,
  order: HandOverOrder,
): Promise<HandOverAnswer> {
  const [orders, answers] = [orderFile, answerFile].map((file) => join(stateDirectory, "ha", file)) as [
    string,
    string,
  ];
  replaceFile(orders, JSON.stringify(order));
  const deadline = performance.now() + answeredWithinMs;
  while (performance.now() < deadline) {
    const answer = existsSync(answers) ? readAnswer(readFileSync(answers, "utf8"), order) : undefined;
    if (answer !== undefined) return answer;
    await delay(50);
  }
  const taken = !existsSync(orders);
  rmSync(orders, { force: true });
  throw unanswered(name, taken);
}
