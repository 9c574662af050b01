import { classifyError, saysNotExecuted } from "./classify-error.ts";
import type { Operation } from "./history.ts";

/** The server said that it did it. */
export function isAcknowledged({ outcome }: Operation): boolean {
  return outcome.kind === "acknowledged";
}

/** The answer as text; empty where there is none. */
export function answerOf({ outcome }: Operation): string {
  return outcome.kind === "acknowledged" ? outcome.value : "";
}

/** The error says that it wasn't executed. */
export function isRefused({ outcome }: Operation): boolean {
  return outcome.kind === "error" && saysNotExecuted(classifyError(outcome.text));
}

/** Nobody knows whether it was executed. */
export function isUnknown(operation: Operation): boolean {
  return !isAcknowledged(operation) && !isRefused(operation);
}
