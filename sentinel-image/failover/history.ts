import { parseInfo } from "../start/ask-peer.ts";

/** `INFO replication` of an instance, as far as it decides whether one continues the other. */
export interface History {
  readonly role: "master" | "replica";
  readonly id: string;
  /** The history that it had as a replica, up to `formerUntil`; all zeros: none. */
  readonly formerId: string;
  readonly formerUntil: number;
  readonly offset: number;
  /** The Sentinels may promote it. */
  readonly promotable: boolean;
}

/** What `INFO replication` tells of an instance's history. */
export function readHistory(info: string): History {
  const fields = parseInfo(info);
  const role = fields.get("role") === "master" ? "master" : "replica";
  return {
    role,
    id: fields.get("master_replid") ?? "",
    formerId: fields.get("master_replid2") ?? "",
    formerUntil: Number(fields.get("second_repl_offset")),
    offset: Number(fields.get(role === "master" ? "master_repl_offset" : "slave_repl_offset")),
    promotable: fields.get("slave_priority") !== "0",
  };
}
