import type { Logger } from "pino";
import { askRole } from "../quorum/ask-role.ts";
import type { ControlConnection } from "../quorum/control-connection.ts";
import { messageOf } from "../runtime/log.ts";
import { askHeartbeat, beat, type Heartbeat } from "./heartbeat.ts";

export interface KeepHeartbeatOptions {
  /** A connection to this instance's own server. */
  readonly heart: ControlConnection;
  /** Told how new this instance's copy is; not while that can't be said. */
  readonly onCopy: (heartbeat: Heartbeat | undefined) => void;
  readonly log: Logger;
}

/**
 * Notes how new this instance's copy is, and makes it newer on the master.
 *
 * @param epoch at which this instance is the agreed master; undefined: it isn't.
 */
export async function keepHeartbeat(
  { heart, onCopy, log }: KeepHeartbeatOptions,
  epoch: number | undefined,
): Promise<void> {
  try {
    const [role, copy] = await Promise.all([askRole(heart), askHeartbeat(heart)]);
    // Refused while no replica is in sync. Then the clients' writes are refused, too, and the copy gets no newer.
    if (epoch === undefined || role.kind !== "master" || role.replicas.length === 0) return onCopy(copy);
    // Sentinels that have all lost their state begin at epoch 0 again.
    const heartbeat = { epoch: Math.max(epoch, copy?.epoch ?? 0), ms: Date.now() };
    // Noted first: a replica must never have a newer one than this instance says of itself after a crash.
    onCopy(heartbeat);
    await beat(heart, heartbeat);
  } catch (error) {
    log.debug({ problem: messageOf(error) }, "no heartbeat");
  }
}
