import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { ControlConnection } from "../../quorum/control-connection.ts";
import { formatAddress } from "../../runtime/address.ts";
import { followKeepingData, type OwnPast } from "./follow-keeping-data.ts";
import { type History, readHistory } from "./history.ts";
import type { WritePause } from "./write-pause.ts";

export interface JoinPromotedOptions {
  /** This instance's own server. */
  readonly server: ControlConnection;
  /** Its writes. */
  readonly pause: WritePause;
  /** The instance that a Sentinel has ordered to become the master. */
  readonly heir: ControlConnection;
  /** `redis:durability` `quorum`: it joins only when nothing can be lost by that. */
  readonly quorum?: boolean;
  /** What its supervisor knows of its copy. */
  readonly past?: OwnPast;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Milliseconds between two looks at the promoted instance, and how long it is looked at: its disk may be slow. */
const lookEveryMs = 10;
const lookForMs = 2000;

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
 *
 * @returns whether it has followed it.
 */
export async function joinPromoted(options: JoinPromotedOptions): Promise<boolean> {
  const { server, pause, heir, quorum = false, log, signal } = options;
  const deadline = performance.now() + lookForMs;
  while (performance.now() < deadline && !signal.aborted) {
    // With the promotion the leader ends all connections to the heir, and when it re-points this instance those to it.
    const [own, promoted] = await Promise.all([askHistory(server), askHistory(heir)]);
    if (own !== undefined && promoted?.role === "master") {
      if (quorum) return joinKeepingData(options, own, promoted);
      if (!shouldJoin(own, promoted)) return false;
      // Sent together: what was paused must be refused before the proxies end their connections with a replica.
      await Promise.all([server.call("REPLICAOF", heir.address.host, heir.address.port), pause.end()]);
      log.info({ master: formatAddress(heir.address) }, "joins the instance that was promoted");
      return true;
    }
    await delay(lookEveryMs);
  }
  return false;
}

async function joinKeepingData(
  { server, pause, heir, past = {}, log }: JoinPromotedOptions,
  own: History,
  promoted: History,
): Promise<boolean> {
  if (own.id === promoted.id) return false;
  const verdict = await followKeepingData(server, heir, undefined, past);
  const master = formatAddress(heir.address);
  if (!verdict.joins) {
    log.warn({ master, reason: verdict.reason }, "doesn't join the instance that was promoted");
    return false;
  }
  // What was paused is refused by a replica.
  await pause.end();
  log.info({ master, because: verdict.because }, "joins the instance that was promoted");
  return true;
}

async function askHistory(connection: ControlConnection): Promise<History | undefined> {
  const info = await connection.call("INFO", "replication").catch(() => undefined);
  return info === undefined ? undefined : readHistory(String(info));
}
