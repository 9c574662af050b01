import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { ControlConnection } from "../quorum/control-connection.ts";
import { formatAddress } from "../runtime/address.ts";
import { parseInfo } from "./ask-peer.ts";
import type { WritePause } from "./write-pause.ts";

export interface JoinPromotedOptions {
  /** This instance's own server. */
  readonly server: ControlConnection;
  /** Its writes. */
  readonly pause: WritePause;
  /** The instance that a Sentinel has ordered to become the master. */
  readonly heir: ControlConnection;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

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

/** Milliseconds between two looks at the promoted instance, and how long it is looked at: its disk may be slow. */
const lookEveryMs = 10;
const lookForMs = 2000;

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

/**
 * Whether an instance follows one that was promoted at once: a replica or the master that is replaced when it continues where it is, and nothing of it
 * is thrown away; and a replica that nobody may promote, since it never was in sync, and has nothing to keep.
 */
export function shouldJoin(own: History, promoted: History): boolean {
  if (promoted.role !== "master" || own.id === promoted.id) return false;
  const continues = own.id === promoted.formerId && own.offset < promoted.formerUntil;
  return continues || (own.role === "replica" && !own.promotable);
}

/**
 * Follows a replica that a Sentinel has promoted as soon as it is a master. A new master takes no write before a replica has joined it
 * (`min-replicas-to-write`), and the Sentinels order the others to join only after the announcement. An old master that still
 * runs, because a person has asked for the failover, follows, too.
 */
export async function joinPromoted({ server, pause, heir, log, signal }: JoinPromotedOptions): Promise<void> {
  const deadline = performance.now() + lookForMs;
  while (performance.now() < deadline && !signal.aborted) {
    // With the promotion the leader ends all connections to the heir, and when it re-points this instance those to it.
    const [own, promoted] = await Promise.all([askHistory(server), askHistory(heir)]);
    if (own !== undefined && promoted?.role === "master") {
      if (!shouldJoin(own, promoted)) return;
      // Sent together: what was paused must be refused before the proxies end their connections with a replica.
      await Promise.all([server.call("REPLICAOF", heir.address.host, heir.address.port), pause.end()]);
      log.info({ master: formatAddress(heir.address) }, "joins the instance that was promoted");
      return;
    }
    await delay(lookEveryMs);
  }
}

async function askHistory(connection: ControlConnection): Promise<History | undefined> {
  const info = await connection.call("INFO", "replication").catch(() => undefined);
  return info === undefined ? undefined : readHistory(String(info));
}
