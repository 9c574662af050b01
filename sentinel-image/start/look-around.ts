import { askRole } from "../../quorum/ask-role.ts";
import type { ControlConnection } from "../../quorum/control-connection.ts";
import { type Address, sameAddress } from "../../runtime/address.ts";
import { askHeartbeat, isNewer, isNewestCopy } from "../supervise/heartbeat.ts";
import { askPeers, parseInfo } from "./ask-peer.ts";

/** Whom the supervisor asks beside the Sentinels. */
export interface Surroundings {
  readonly self: Address;
  /** This instance's own server. */
  readonly heart: ControlConnection;
  /** The other instances. */
  readonly instances: readonly ControlConnection[];
}

/**
 * All instances but the missing master answer, none of them is a master or may be promoted, and none has a newer copy
 * than this one. One that doesn't answer may have a newer copy.
 */
export async function isOrphaned(options: Surroundings, missingMaster: Address): Promise<boolean> {
  const { self, heart, instances } = options;
  const others = instances.filter(({ address }) => !sameAddress(address, missingMaster));
  const peers = await askPeers(others);
  if (peers.length < others.length || peers.some(({ role, promotable }) => role === "master" || promotable)) {
    return false;
  }
  const [own, ...copies] = await Promise.all(
    [heart, ...others].map(async (connection) => ({
      address: connection === heart ? self : connection.address,
      heartbeat: await askHeartbeat(connection),
    })),
  );
  return own !== undefined && isNewestCopy(own, copies);
}

/**
 * Whether no instance is a master although the Sentinels name this one; undefined: there is one. `newest`: none that answers
 * has a newer copy.
 */
export async function askLeaderless({
  heart,
  instances,
}: Surroundings): Promise<{ readonly newest: boolean } | undefined> {
  const peers = await askPeers(instances);
  if (peers.some(({ role }) => role === "master")) return undefined;
  const own = await askHeartbeat(heart);
  return { newest: peers.every(({ heartbeat }) => !isNewer(heartbeat, own, 0)) };
}

/** Whether the server can write its append-only file. When it can't, it refuses all writes, and the Sentinels see nothing of it. */
export async function canWrite(server: ControlConnection): Promise<boolean> {
  const fields = parseInfo(String(await server.call("INFO", "persistence")));
  return fields.get("aof_last_write_status") !== "err";
}

/** Whether another instance says that it is the master. */
export async function isMaster(
  { instances }: Pick<Surroundings, "instances">,
  address: Address,
): Promise<boolean> {
  const connection = instances.find((instance) => sameAddress(instance.address, address));
  if (connection === undefined) return false;
  try {
    return (await askRole(connection)).kind === "master";
  } catch {
    // Whoever doesn't answer is not a master to follow now; the next round asks again.
    return false;
  }
}

/** `replica-priority`. */
export async function readPriority(server: ControlConnection): Promise<number> {
  const reply = await server.call("CONFIG", "GET", "replica-priority");
  return Array.isArray(reply) ? Number(reply[1]) : Number.NaN;
}
