import type { Operation } from "./history.ts";

/** More of them say nothing new. */
const shown = 40;

/** Commands that ended with an error or not at all, reads first: they have the least excuse. */
export function describeFailures(operations: readonly Operation[], faultAtMs: number): string[] {
  return operations
    .filter(({ outcome }) => outcome.kind !== "acknowledged")
    .sort((a, b) => Number(a.command !== "GET") - Number(b.command !== "GET") || a.sentMs - b.sentMs)
    .slice(0, shown)
    .map(({ client, command, id, sentMs, endedMs, outcome }) => {
      const end = outcome.kind === "error" ? outcome.text.slice(0, 100) : "no answer";
      return `${client} ${command} ${id}: ${Math.round(sentMs - faultAtMs)} to ${Math.round(endedMs - faultAtMs)} ms: ${end}`;
    });
}
