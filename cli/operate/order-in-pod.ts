import {
  answeredWithinMs,
  type HandOverAnswer,
  type HandOverOrder,
  orderingScript,
  readOrderOutput,
} from "../../runtime/hand-over-order.ts";
import type { Kubectl } from "./kubectl.ts";
import { unanswered } from "./order-locally.ts";

/**
 * Orders a hand-over from the instance in a pod, by its volume.
 *
 * @throws {UserError} when it doesn't answer, or kubectl may not exec.
 */
export async function orderInPod(
  kubectl: Kubectl,
  name: string,
  pod: string,
  order: HandOverOrder,
): Promise<HandOverAnswer> {
  const output = await kubectl.run(
    ["exec", "--stdin", `pod/${pod}`, "--", "sh"],
    orderingScript(order),
    answeredWithinMs + 10_000,
  );
  const outcome = readOrderOutput(output, order);
  if (typeof outcome === "string") throw unanswered(name, outcome !== "untaken");
  return outcome;
}
