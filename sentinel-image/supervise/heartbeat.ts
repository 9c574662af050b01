import type { ControlConnection } from "../../quorum/control-connection.ts";
import { type Address, formatAddress } from "../../runtime/address.ts";

/** The key that the master writes all the time. It is replicated with the data, so it tells how new a copy of them is. */
export const heartbeatKey = "__ha:heartbeat";

/** When a copy of the data was last written to by the master. */
export interface Heartbeat {
  /** The master's configuration epoch. Clocks of two masters may differ, epochs only rise. */
  readonly epoch: number;
  /** Its clock, ms since 1970. */
  readonly ms: number;
}

/** One instance and its copy; undefined when the copy has no heartbeat: it is empty, or never was synchronised. */
export interface Copy {
  readonly address: Address;
  readonly heartbeat: Heartbeat | undefined;
}

/**
 * Writes the master's heartbeat.
 *
 * @throws {Error} when the master takes no writes: it has no replica, or is paused.
 */
export async function beat(master: ControlConnection, heartbeat: Heartbeat): Promise<void> {
  await master.call("SET", heartbeatKey, formatHeartbeat(heartbeat));
}

/** `epoch:ms`, the inverse of {@link parseHeartbeat}. */
export function formatHeartbeat({ epoch, ms }: Heartbeat): string {
  return `${epoch}:${ms}`;
}

/**
 * Whether a copy is newer than another one by more than some ms. Without a heartbeat a copy is the oldest of all; with a
 * negative tolerance a copy that is as new, or a little older, counts as newer.
 */
export function isNewer(
  copy: Heartbeat | undefined,
  than: Heartbeat | undefined,
  toleranceMs: number,
): boolean {
  if (copy === undefined) return false;
  if (than === undefined || copy.epoch !== than.epoch) return copy.epoch > (than?.epoch ?? -1);
  return copy.ms > than.ms + toleranceMs;
}

/**
 * Reads the heartbeat of an instance's copy.
 *
 * @throws {Error} when the instance doesn't answer, or still loads.
 */
export async function askHeartbeat(instance: ControlConnection): Promise<Heartbeat | undefined> {
  return parseHeartbeat(await instance.call("GET", heartbeatKey));
}

/** Reads `epoch:ms`. Undefined for anything else: clients may write that key too. */
export function parseHeartbeat(value: unknown): Heartbeat | undefined {
  const match = /^(\d{1,15}):(\d{1,15})$/.exec(typeof value === "string" ? value : "");
  return match === null ? undefined : { epoch: Number(match[1]), ms: Number(match[2]) };
}

/** Whether no other copy is newer than this one. Of several that are the same, the one with the first address is it. */
export function isNewestCopy(own: Copy, others: readonly Copy[]): boolean {
  if (own.heartbeat === undefined) return false;
  const { epoch, ms } = own.heartbeat;
  return others.every(({ address, heartbeat }) => {
    if (heartbeat === undefined) return true;
    if (heartbeat.epoch !== epoch) return heartbeat.epoch < epoch;
    if (heartbeat.ms !== ms) return heartbeat.ms < ms;
    return formatAddress(own.address) < formatAddress(address);
  });
}
