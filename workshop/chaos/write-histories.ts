import { appendFileSync, writeFileSync } from "node:fs";
import { type RegisterHistory, registerHistories } from "./check-registers.ts";
import type { Operation } from "./history.ts";

/** Takes a round's operations. */
export type KeepHistory = (round: number, fault: string, operations: readonly Operation[]) => void;

/**
 * Keeps what each register was asked and answered, a JSON line for each, with what this project's own checker says of it: for a checker by others
 * (`porcupine/`). What is in the file is thrown away first.
 */
export function keepHistoriesIn(file: string): KeepHistory {
  writeFileSync(file, "");
  return (round, fault, operations) => {
    const lines = registerHistories(operations).map((register) => `${render(round, fault, register)}\n`);
    appendFileSync(file, lines.join(""));
  };
}

/** Infinity is none of JSON's numbers: it becomes null. */
function render(round: number, fault: string, { register, verdict, operations }: RegisterHistory): string {
  return JSON.stringify({ round, fault, register, verdict, operations });
}
