import type { Logger } from "pino";
import type { MasterState } from "../quorum/master-state.ts";
import { type Address, formatAddress, sameAddress } from "../runtime/address.ts";

/** Writes one line for each failover, with the time that clients had no master. */
export class FailoverLog {
  readonly #log: Logger;
  readonly #onFailover: () => void;
  #lastMaster: Address | undefined;
  #lostAt: number | undefined;
  #reason = "";

  constructor(log: Logger, onFailover: () => void) {
    this.#log = log;
    this.#onFailover = onFailover;
  }

  /** Takes note of a change of the watcher's state. */
  record(state: MasterState): void {
    if (state.kind === "searching") {
      this.#lostAt ??= performance.now();
      this.#reason = state.reason;
      const reason = state.reason;
      if (state.suspect === undefined) this.#log.warn({ reason }, "no master");
      else this.#log.info({ reason }, "the master doesn't answer: new clients wait");
      return;
    }
    if (state.busy === true) {
      const master = formatAddress(state.master);
      this.#log.warn({ master }, "the master is busy with a script: it answers BUSY, and takes SCRIPT KILL");
      return;
    }
    const before = this.#lastMaster;
    const line = {
      master: formatAddress(state.master),
      configEpoch: state.configEpoch,
      ...(this.#lostAt === undefined
        ? {}
        : { withoutMasterMs: Math.round(performance.now() - this.#lostAt), reason: this.#reason }),
    };
    this.#lastMaster = state.master;
    this.#lostAt = undefined;
    if (before === undefined) this.#log.info(line, "found the master");
    else if (sameAddress(before, state.master)) this.#log.info(line, "the master is back");
    else {
      this.#onFailover();
      this.#log.warn({ ...line, before: formatAddress(before) }, "failover");
    }
  }
}
