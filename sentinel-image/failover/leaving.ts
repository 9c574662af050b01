import type { Logger } from "pino";
import { askRole } from "../../quorum/ask-role.ts";
import type { ControlConnection } from "../../quorum/control-connection.ts";
import type { Address } from "../../runtime/address.ts";
import { isReplicaReason } from "../../runtime/hand-over-order.ts";
import { messageOf } from "../../runtime/log.ts";
import type { HandOverOutcome } from "./hand-over.ts";
import type { LeaveOutcome } from "./hand-over-orders.ts";

/** Longer than any update renews it: whoever orders more is mistaken. */
const longestMs = 24 * 3600 * 1000;

export interface LeavingOptions {
  readonly self: Address;
  /** This instance's own server. */
  readonly server: ControlConnection;
  readonly handOver: (heirs: readonly Address[]) => Promise<HandOverOutcome>;
  readonly log: Logger;
}

/**
 * That this instance is going to be removed. It isn't written down: an instance that is started again while it is still there has to be told once
 * more, and one that nobody takes away may be promoted again after a time.
 */
export class Leaving {
  #untilMs = 0;

  /** The Sentinels must not promote this instance. */
  get isSo(): boolean {
    return performance.now() < this.#untilMs;
  }

  /**
   * Hands the role over, if this instance has it, and sees to it that it isn't promoted.
   *
   * @param staying of whom one is to lead. @param forMs for how long it must not be promoted.
   * @throws {Error} when the own server doesn't answer.
   */
  async begin(
    staying: readonly Address[],
    forMs: number,
    { self, server, handOver, log }: LeavingOptions,
  ): Promise<LeaveOutcome> {
    this.#untilMs = performance.now() + Math.min(forMs, longestMs);
    const before = await askRole(server);
    const outcome: HandOverOutcome =
      before.kind === "master"
        ? await handOver(staying)
        : { successor: undefined, reason: isReplicaReason, pausedMs: undefined };
    const role = before.kind === "master" ? await askRole(server) : before;
    // A master's own priority means nothing, and would have to be raised again if it keeps its role.
    if (role.kind === "replica") {
      await server.call("CONFIG", "SET", "replica-priority", 0).catch((error: unknown) => {
        log.warn({ problem: messageOf(error) }, "could not forbid the promotion yet");
      });
    }
    return { ...outcome, leads: role.kind === "master" ? self : role.master };
  }
}
