import type { CommandName } from "./history.ts";

/** What the keys of all ledgers begin with. */
export const ledgerPrefix = "ledger:";

/** Keys of one client in one round. Every worker, in whichever language, builds the same. */
export interface LedgerKeys {
  readonly counter: string;
  readonly list: string;
  readonly set: string;
  readonly string: (id: string) => string;
}

/** Stands for all clients in the key of a register. */
const shared = "all";

/** The key of a register, which all clients read and write. */
export function registerKey(round: string, register: string): string {
  return `${ledgerPrefix}${round}:${shared}:register:${register}`;
}

/** What a client writes to a register: no other client's value is the same. */
export function registerValue(client: string, count: number): string {
  return `${client}/${count}`;
}

/** @param round unique among all rounds that this Redis ever sees. */
export function ledgerKeys(round: string, client: string): LedgerKeys {
  const prefix = `${ledgerPrefix}${round}:${client}:`;
  return {
    counter: `${prefix}counter`,
    list: `${prefix}list`,
    set: `${prefix}set`,
    string: (id) => `${prefix}string:${id}`,
  };
}

/** A write as an instance executed it; undefined for anything that isn't a write of a ledger. */
export function parseLedgerWrite(
  args: readonly string[],
):
  | { readonly round: string; readonly client: string; readonly command: CommandName; readonly id: string }
  | undefined {
  const [name = "", key = "", element = ""] = args;
  const command = name.toUpperCase();
  if (command !== "INCR" && command !== "RPUSH" && command !== "SET" && command !== "SADD") return undefined;
  const [prefix, round = "", client = "", kind, register] = key.split(":");
  if (`${prefix}:` !== ledgerPrefix || kind === undefined) return undefined;
  if (kind === "register") {
    return { round, client: element.split("/")[0] ?? "", command: "WRITE", id: `${register}=${element}` };
  }
  return { round, client, command, id: command === "INCR" ? "" : element };
}
