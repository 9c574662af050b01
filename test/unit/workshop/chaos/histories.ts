import type { ClientData, CommandName, Operation, Outcome } from "../../../../workshop/chaos/history.ts";

/** A command of client `a` that was acknowledged 5 ms after it was sent. */
export function acknowledged(command: CommandName, id: string, value: string, sentMs: number): Operation {
  return operation(command, id, { kind: "acknowledged", value }, sentMs);
}

/** A command of client `a` that ended with an error. */
export function failed(command: CommandName, id: string, text: string, sentMs: number): Operation {
  return operation(command, id, { kind: "error", text }, sentMs);
}

export function operation(command: CommandName, id: string, outcome: Outcome, sentMs: number): Operation {
  return { client: "a", command, id, sentMs, endedMs: sentMs + 5, outcome };
}

export const uncertain = "UNCERTAIN the connection to the master was lost while the command was in flight";
export const loading = "LOADING no master available within the hold time: the command was not executed";

/** What the master holds of client `a`. */
export function held({
  counter = 0,
  list = [],
  set = [],
  strings = {},
}: {
  readonly counter?: number;
  readonly list?: readonly string[];
  readonly set?: readonly string[];
  readonly strings?: Readonly<Record<string, string>>;
}): ReadonlyMap<string, ClientData> {
  return new Map([["a", { counter, list, set: new Set(set), strings: new Map(Object.entries(strings)) }]]);
}
