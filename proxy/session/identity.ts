import type { GroupKey } from "../upstream/upstream-group.ts";

/** Who a client is to the server. A value: what changes it replaces it. */
export interface Identity extends GroupKey {
  /** What it calls itself; empty: nothing. */
  readonly name: string;
  /** The server has accepted it, with or without a password. */
  readonly authorized: boolean;
}

/** Who has said nothing yet, and who has said RESET. All of them share it. */
export const stranger: Identity = {
  credentials: undefined,
  db: 0,
  protocol: 2,
  name: "",
  authorized: false,
};

/** Whether both may use the same connections. */
export function sameGroup(a: GroupKey, b: GroupKey): boolean {
  return a.credentials === b.credentials && a.db === b.db && a.protocol === b.protocol;
}
