import type { ControlConnection } from "../../quorum/control-connection.ts";
import type { Address } from "../../runtime/address.ts";
import { type HandOverOptions, type HandOverOutcome, handOver } from "./hand-over.ts";

export interface RoleGiverOptions extends Omit<HandOverOptions, "wanted" | "peers"> {
  /** Connects with another instance as one who may change its settings: a hand-over favours its heir by one. */
  readonly connect: (address: Address) => ControlConnection;
  readonly others: readonly Address[];
  /** Told of each hand-over's end. */
  readonly onOutcome: (outcome: HandOverOutcome) => void;
}

/** Hands this instance's role over, to one order after the other. */
export class RoleGiver {
  readonly #options: RoleGiverOptions;
  #underWay: Promise<HandOverOutcome> | undefined;

  constructor(options: RoleGiverOptions) {
    this.#options = options;
  }

  /** A hand-over pauses writes itself, and for as long as it takes. */
  get isGiving(): boolean {
    return this.#underWay !== undefined;
  }

  /** @param wanted one of these is to lead; undefined: whichever fits best. */
  async give(wanted?: readonly Address[]): Promise<HandOverOutcome> {
    // An operator's, which a stop has to wait for.
    await this.#underWay;
    const { connect, others, onOutcome } = this.#options;
    const peers = others.map(connect);
    this.#underWay = handOver({ ...this.#options, peers, wanted });
    try {
      const outcome = await this.#underWay;
      onOutcome(outcome);
      return outcome;
    } finally {
      this.#underWay = undefined;
      for (const connection of peers) connection.close();
    }
  }
}
