import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { ControlConnection } from "../../quorum/control-connection.ts";
import { type Address, formatAddress, sameAddress } from "../../runtime/address.ts";
import { parseInfo } from "./ask-peer.ts";
import type { StartRole } from "./choose-role.ts";
import { judgeRoom, type Room } from "./room-for-data.ts";

export interface FittingRoleOptions {
  /** Finds the role, however long it takes. */
  readonly choose: () => Promise<StartRole>;
  /** The other instances. */
  readonly peers: readonly ControlConnection[];
  /** Of this instance, in bytes. */
  readonly maxmemory: number;
  readonly policy: string;
  /** Told why this instance must not start, and with undefined that it may. */
  readonly onRefused: (problem: string | undefined) => void;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const askEveryMs = 1000;
const logEveryMs = 5000;

/**
 * The role to start in, once there is room for the master's data. A lowered `redis:memory` so stops a rollout at its first
 * instance: it isn't ready, the others are as they were. Asked again every second: data may be deleted, and the master replaced.
 *
 * @throws {Error} only when `signal` ends the waiting.
 */
export async function chooseFittingRole(options: FittingRoleOptions): Promise<StartRole> {
  const { choose, onRefused, log, signal } = options;
  let logAt = 0;
  for (;;) {
    const role = await choose();
    const room: Room =
      role.kind === "follow" ? await askRoom(options, role.master) : { kind: "enough" as const };
    if (room.kind === "evicts") log.warn(room.warning);
    onRefused(room.kind === "too-small" ? room.problem : undefined);
    if (room.kind !== "too-small") return role;
    if (performance.now() >= logAt) {
      logAt = performance.now() + logEveryMs;
      log.error(`not starting: ${room.problem}`);
    }
    await delay(askEveryMs, undefined, { signal });
  }
}

/** A master that doesn't answer now can't be compared; it then has worse to fear than this instance's size. */
async function askRoom({ peers, maxmemory, policy }: FittingRoleOptions, master: Address): Promise<Room> {
  const connection = peers.find(({ address }) => sameAddress(address, master));
  const answer = await connection?.call("INFO").catch(() => undefined);
  if (answer === undefined) return { kind: "enough" };
  return judgeRoom({ maxmemory, policy, master: formatAddress(master), info: parseInfo(String(answer)) });
}
