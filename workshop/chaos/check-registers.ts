import { classifyError, saysNotExecuted } from "./classify-error.ts";
import type { Operation } from "./history.ts";
import { checkRegister, type RegisterOperation, type Verdict } from "./linearizable.ts";
import type { Period } from "./measure-stalls.ts";

/** What the registers of a round showed. */
export interface RegisterReport {
  readonly checked: number;
  /** Registers that were used while nothing was wrong, and for whose commands there is no order. */
  readonly violated: readonly string[];
  /** The same, around the fault: replication without waiting doesn't promise an order there. */
  readonly violatedAroundFault: readonly string[];
}

/** Whether there is an order of the commands of each register, over all clients. Pure. */
export function checkRegisters(operations: readonly Operation[], fault: Period): RegisterReport {
  const byRegister = groupByRegister(operations);
  const violated: string[] = [];
  const violatedAroundFault: string[] = [];
  for (const [register, own] of byRegister) {
    if (checkRegister(own.flatMap(asRegisterOperation)) === "linearizable") continue;
    const isAround = own.some(({ sentMs, endedMs }) => endedMs >= fault.beginMs && sentMs <= fault.endMs);
    (isAround ? violatedAroundFault : violated).push(register);
  }
  return { checked: byRegister.size, violated, violatedAroundFault };
}

/** What one register was asked and answered, and whether there is an order for it. */
export interface RegisterHistory {
  readonly register: string;
  readonly verdict: Verdict;
  readonly operations: readonly RegisterOperation[];
}

/** All registers of a round, with what decides about each. Pure. */
export function registerHistories(operations: readonly Operation[]): RegisterHistory[] {
  return [...groupByRegister(operations)].map(([register, own]) => {
    const asked = own.flatMap(asRegisterOperation);
    return { register, verdict: checkRegister(asked), operations: asked };
  });
}

function groupByRegister(operations: readonly Operation[]): Map<string, Operation[]> {
  return Map.groupBy(
    operations.filter(({ command }) => command === "WRITE" || command === "READ"),
    registerOf,
  );
}

/** The names of all registers that were used. */
export function registersOf(operations: readonly Operation[]): string[] {
  const used = operations.filter(({ command }) => command === "WRITE" || command === "READ");
  return [...new Set(used.map(registerOf))];
}

function registerOf({ id }: Operation): string {
  return id.split("=")[0] ?? id;
}

/** A read without an answer says nothing; nor does a write that wasn't executed. */
function asRegisterOperation({ command, id, sentMs, endedMs, outcome }: Operation): RegisterOperation[] {
  if (command === "READ") {
    if (outcome.kind !== "acknowledged") return [];
    return [{ kind: "read", value: outcome.value === "" ? undefined : outcome.value, sentMs, endedMs }];
  }
  const value = id.slice(id.indexOf("=") + 1);
  if (outcome.kind === "acknowledged") return [{ kind: "write", value, sentMs, endedMs }];
  if (outcome.kind === "error" && saysNotExecuted(classifyError(outcome.text))) return [];
  return [{ kind: "write", value, sentMs, endedMs: Number.POSITIVE_INFINITY }];
}
