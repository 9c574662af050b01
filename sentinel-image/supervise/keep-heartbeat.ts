import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { askRole } from "../../quorum/ask-role.ts";
import type { ControlConnection } from "../../quorum/control-connection.ts";
import type { Address } from "../../runtime/address.ts";
import { messageOf } from "../../runtime/log.ts";
import { parseInfo } from "../start/ask-peer.ts";
import { askHeartbeat, beat, type Heartbeat } from "./heartbeat.ts";

/** Whose heartbeat a copy has: that of the master that it follows, or its own. Undefined: it is a master that doesn't lead. */
export type CopyOrigin = Address | "itself" | undefined;

export interface KeepHeartbeatOptions {
  /** A connection to this instance's own server. */
  readonly heart: ControlConnection;
  /**
   * Told how new this instance's copy is, and from whom it has it; not while that can't be said. `whole`: its append-only file holds all of it, as far as that is asked for
   * ({@link writtenThrough}). While that is rewritten, which follows each full copy, a part of it isn't what a start would read.
   */
  readonly onCopy: (heartbeat: Heartbeat | undefined, whole: boolean, from: CopyOrigin) => void;
  /** `redis:fsync` is `always`: whether the file is whole is asked for. Default false. */
  readonly writtenThrough?: boolean;
  /** An operator has made this instance the master, whatever others have: it leads from its first heartbeat on, without a replica. */
  readonly vouched?: boolean;
  readonly log: Logger;
}

/** A promoted instance's first heartbeat is tried so often, every so many ms: it is refused until a replica has joined. */
const [firstBeats, firstBeatEveryMs] = [100, 20];

/** Notes how new this instance's copy is, and makes it newer on the master. */
export class HeartbeatKeeper {
  readonly #options: KeepHeartbeatOptions;
  /** The epoch of a promotion that the Sentinels haven't agreed on yet. */
  #promotedIn: number | undefined;
  #last: Promise<boolean> = Promise.resolve(false);

  constructor(options: KeepHeartbeatOptions) {
    this.#options = options;
  }

  /**
   * Makes this master's copy the newest at once: clients believe the failover's leader alone, and all Sentinels may end before a majority of them knows.
   * Returns after the first try. What is refused is tried again for 2 s, without anybody waiting.
   */
  async promoted(epoch: number, signal: AbortSignal): Promise<void> {
    this.#promotedIn = epoch;
    if (!(await this.beat(undefined))) void this.#untilBeaten(signal);
  }

  async #untilBeaten(signal: AbortSignal): Promise<void> {
    for (let i = 0; i < firstBeats && !signal.aborted && this.#promotedIn !== undefined; i++) {
      await delay(firstBeatEveryMs);
      if (await this.beat(undefined)) return;
    }
  }

  /**
   * One beat, after the one before. @param epoch at which this instance is the agreed master; undefined: it isn't.
   *
   * @returns whether the copy was made newer.
   */
  beat(epoch: number | undefined): Promise<boolean> {
    this.#last = this.#last.then(() => this.#beat(epoch));
    return this.#last;
  }

  async #beat(agreedEpoch: number | undefined): Promise<boolean> {
    const { heart, onCopy, writtenThrough = false, vouched = false, log } = this.#options;
    try {
      const [role, copy, whole] = await Promise.all([
        askRole(heart),
        askHeartbeat(heart),
        writtenThrough && isFileWhole(heart),
      ]);
      if (role.kind === "replica" || agreedEpoch !== undefined) this.#promotedIn = undefined;
      const epoch = agreedEpoch ?? this.#promotedIn;
      // Refused while no replica is in sync. Then the clients' writes are refused, too, and the copy gets no newer.
      const unproven = vouched && epoch !== undefined && (copy?.epoch ?? -1) < epoch;
      if (epoch === undefined || role.kind === "replica" || (role.replicas.length === 0 && !unproven)) {
        onCopy(copy, whole, role.kind === "replica" ? role.master : undefined);
        return false;
      }
      // Sentinels that have all lost their state begin at epoch 0 again.
      const heartbeat = { epoch: Math.max(epoch, copy?.epoch ?? 0), ms: Date.now() };
      // Noted first: a replica must never have a newer one than this instance says of itself after a crash.
      onCopy(heartbeat, whole, "itself");
      if (unproven) await beatAlone(heart, heartbeat);
      else await beat(heart, heartbeat);
      return true;
    } catch (error) {
      log.debug({ problem: messageOf(error) }, "no heartbeat");
      return false;
    }
  }
}

async function isFileWhole(heart: ControlConnection): Promise<boolean> {
  const fields = parseInfo(String(await heart.call("INFO", "persistence")));
  return ["aof_rewrite_in_progress", "aof_rewrite_scheduled"].every((name) => fields.get(name) === "0");
}

const needed = "min-replicas-to-write";

/** One heartbeat that needs no replica. */
async function beatAlone(heart: ControlConnection, heartbeat: Heartbeat): Promise<void> {
  const [, usual] = (await heart.call("CONFIG", "GET", needed)) as unknown[];
  await heart.call("CONFIG", "SET", needed, 0);
  try {
    await beat(heart, heartbeat);
  } finally {
    await heart.call("CONFIG", "SET", needed, String(usual));
  }
}
