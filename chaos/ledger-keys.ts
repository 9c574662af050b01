import type { CommandName } from "./history.ts";

/** What the keys of all ledgers begin with. */
export const ledgerPrefix = "ledger:";

/** Keys of one client in one round. Every worker, in whichever language, builds the same. */
export interface LedgerKeys {
  readonly counter: string;
  readonly list: string;
  readonly string: (id: string) => string;
}

/** @param round unique among all rounds that this Redis ever sees. */
export function ledgerKeys(round: string, client: string): LedgerKeys {
  const prefix = `${ledgerPrefix}${round}:${client}:`;
  return { counter: `${prefix}counter`, list: `${prefix}list`, string: (id) => `${prefix}string:${id}` };
}

/** A write as an instance executed it; undefined for anything that isn't a write of a ledger. */
export function parseLedgerWrite(
  args: readonly string[],
):
  | { readonly round: string; readonly client: string; readonly command: CommandName; readonly id: string }
  | undefined {
  const [name = "", key = "", element = ""] = args;
  const command = name.toUpperCase();
  if (command !== "INCR" && command !== "RPUSH" && command !== "SET") return undefined;
  const [prefix, round = "", client = "", kind] = key.split(":");
  if (`${prefix}:` !== ledgerPrefix || kind === undefined) return undefined;
  return { round, client, command, id: command === "INCR" ? "" : element };
}
