import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { type Address, formatAddress, sameAddress } from "../quorum/address.ts";
import type { ControlConnection } from "../quorum/control-connection.ts";
import { promotedAddress, promotionOrdered, subscribeToSentinel } from "../quorum/sentinel-events.ts";
import { messageOf } from "../runtime/log.ts";
import { parseInfo } from "./ask-peer.ts";
import type { Login } from "./server-access.ts";

/** What {@link joinPromoted} works with. */
export interface JoinPromotedOptions {
  readonly masterName: string;
  /** This instance's own server. */
  readonly server: ControlConnection;
  /** The other instances. */
  readonly instances: readonly ControlConnection[];
  readonly sentinels: readonly Address[];
  /** As whom the Sentinels' events are read. */
  readonly login: Login;
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
  };
}

/** Whether a replica continues where it is when it follows an instance that was promoted: nothing of it is thrown away. */
export function continues(replica: History, promoted: History): boolean {
  if (replica.role !== "replica" || promoted.role !== "master") return false;
  return replica.id === promoted.formerId && replica.offset < promoted.formerUntil;
}

/**
 * Follows a replica that a Sentinel has promoted as soon as it is a master, until `signal`. A new master takes no write before a replica has
 * joined it (`min-replicas-to-write`). The Sentinels see the promotion up to a second later, announce it, and order the replicas to join
 * after that; until then nobody writes, so whether they join earlier changes nothing but the time for which clients wait.
 */
export function joinPromoted(options: JoinPromotedOptions): void {
  const { masterName, instances, login, log, signal } = options;
  let joining = false;
  const ends = options.sentinels.map((sentinel) =>
    subscribeToSentinel({
      sentinel,
      ...login,
      channels: [promotionOrdered],
      onEvent: (channel, _sentinel, message) => {
        const address = promotedAddress(channel, message, masterName);
        const heir = instances.find((peer) => address !== undefined && sameAddress(peer.address, address));
        if (heir === undefined || joining) return;
        joining = true;
        join(options, heir)
          // Then the Sentinels see to it, a little later.
          .catch((error: unknown) => log.info({ problem: messageOf(error) }, "did not join early"))
          .finally(() => {
            joining = false;
          });
      },
    }),
  );
  signal.addEventListener("abort", () => {
    for (const end of ends) end();
  });
}

async function join({ server, log, signal }: JoinPromotedOptions, heir: ControlConnection): Promise<void> {
  const deadline = performance.now() + lookForMs;
  while (performance.now() < deadline && !signal.aborted) {
    // With the promotion the leader ends all connections to the heir, this one, too.
    const [own, promoted] = await Promise.all([askHistory(server), askHistory(heir).catch(() => undefined)]);
    if (own.role === "master") return;
    if (promoted?.role === "master") {
      if (!continues(own, promoted)) return;
      await server.call("REPLICAOF", heir.address.host, heir.address.port);
      log.info({ master: formatAddress(heir.address) }, "joins the instance that was promoted");
      return;
    }
    await delay(lookEveryMs);
  }
}

async function askHistory(connection: ControlConnection): Promise<History> {
  return readHistory(String(await connection.call("INFO", "replication")));
}
