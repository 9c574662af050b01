import type { Logger } from "pino";
import {
  failoverStep,
  masterSwitched,
  promotedAddress,
  promotionOrdered,
  reconnected,
  replicaSelected,
  subscribeToSentinel,
} from "../../quorum/sentinel-events.ts";
import type { Address } from "../../runtime/address.ts";
import { messageOf } from "../../runtime/log.ts";
import type { Login } from "../conf/server-access.ts";

/** What the instances listen for on the Sentinels, beside the order itself. */
const newEpoch = "+new-epoch";
const failoverStarted = "+try-failover";

/** A Sentinel that leads a failover has ordered a replica to become the master, and waits until it sees that it is one. */
export interface PromotionOrder {
  /** The Sentinel that told it. */
  readonly leader: Address;
  /** The replica, as the Sentinels name it. */
  readonly heir: Address;
  /** The epoch of the failover, in which nobody else can be promoted; undefined: this instance didn't hear it begin, or it is over. */
  readonly epoch: number | undefined;
  /** When it was heard, ms of the monotonic clock. */
  readonly heardAtMs: number;
}

export interface PromotionOrdersOptions {
  readonly masterName: string;
  readonly sentinels: readonly Address[];
  /** As whom the Sentinels' events are read. */
  readonly login: Login;
  /** A replica is about to be promoted in place of this master, as the Sentinels name it. */
  readonly onSelected: (master: Address) => Promise<void>;
  /** An order that comes while the one before is still being worked on is left out. */
  readonly onOrder: (order: PromotionOrder) => Promise<void>;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Listens to all Sentinels for promotions and what comes before them, until `signal`. */
export function hearPromotionOrders({ masterName, log, signal, ...options }: PromotionOrdersOptions): void {
  let busy = false;
  // Then the Sentinels see to it, up to a second later.
  const giveUp = (error: unknown): void =>
    log.info({ problem: messageOf(error) }, "a promotion was not helped");
  const ends = options.sentinels.map((leader) => {
    const epochs = new FailoverEpoch(masterName);
    return subscribeToSentinel({
      sentinel: leader,
      ...options.login,
      // The last one is for instances that haven't heard the order.
      channels: [newEpoch, failoverStarted, replicaSelected, promotionOrdered, masterSwitched],
      onEvent: (channel, _sentinel, message) => {
        epochs.hear(channel, message);
        const begun = failoverStep(channel, message, masterName);
        if (begun !== undefined) options.onSelected(begun.master).catch(giveUp);
        const heir = promotedAddress(channel, message, masterName);
        if (heir === undefined || busy) return;
        busy = true;
        options
          .onOrder({ leader, heir, epoch: epochs.current, heardAtMs: performance.now() })
          .catch(giveUp)
          .finally(() => {
            busy = false;
          });
      },
    });
  });
  signal.addEventListener("abort", () => {
    for (const end of ends) end();
  });
}

/**
 * Follows one Sentinel's failovers: it tells the epoch that it has raised, and in the next line that it tries a failover in it.
 * Other Sentinels' epochs, of which it tells in the same way, come before or after these two.
 */
export class FailoverEpoch {
  readonly #masterName: string;
  #last: number | undefined;
  #current: number | undefined;

  constructor(masterName: string) {
    this.#masterName = masterName;
  }

  /** The epoch of the failover that this Sentinel leads or has led last; undefined: its beginning wasn't heard. */
  get current(): number | undefined {
    return this.#current;
  }

  hear(channel: string, message: string): void {
    if (channel === newEpoch) {
      this.#last = Number(message);
    } else if (channel === failoverStarted) {
      // `master <name> <ip> <port>`
      if (message.split(" ")[1] === this.#masterName) this.#current = this.#last;
    } else if (channel === masterSwitched || channel === reconnected) {
      // The failover is over, or what was said before is unknown.
      this.#last = undefined;
      this.#current = undefined;
    }
  }
}
