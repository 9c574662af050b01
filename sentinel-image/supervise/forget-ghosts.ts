import type { Logger } from "pino";
import { type Agreement, type SentinelView, seesTrouble } from "../../quorum/agreement.ts";
import { askKnownSentinels } from "../../quorum/ask-failover.ts";
import { askRole } from "../../quorum/ask-role.ts";
import { askReplicas } from "../../quorum/ask-sentinel.ts";
import type { ControlConnection } from "../../quorum/control-connection.ts";
import { formatAddress, sameAddress } from "../../runtime/address.ts";
import { GhostFinder } from "./find-ghosts.ts";

export interface GhostHuntOptions {
  readonly self: ControlConnection["address"];
  readonly masterName: string;
  /** This instance's own server. */
  readonly server: ControlConnection;
  /** The other instances. */
  readonly instances: readonly ControlConnection[];
  readonly sentinels: readonly ControlConnection[];
  readonly log: Logger;
}

/** Makes the Sentinels forget hosts that were removed from the configuration: one Sentinel at a time, by `SENTINEL RESET`. */
export class GhostHunt {
  readonly #options: GhostHuntOptions;
  readonly #finder: GhostFinder;
  #told = "";

  constructor(options: GhostHuntOptions) {
    const { self, instances, sentinels } = options;
    this.#options = options;
    this.#finder = new GhostFinder(
      sentinels.map(({ address }) => address),
      [self, ...instances.map(({ address }) => address)],
    );
  }

  /**
   * One round of the supervision. Every instance watches who is alive, so that a new master knows; only the agreed master acts, and only
   * while everything is calm. The reset Sentinel keeps its master, its epochs, its vote and its settings; it hears of the replicas with
   * the next `INFO` and of the others with their next hello.
   *
   * @throws {Error} when a Sentinel or the master doesn't answer.
   */
  async round(views: readonly SentinelView[], agreement: Agreement): Promise<void> {
    const { self, masterName, server, instances, sentinels, log } = this.#options;
    const crowded = views.some(
      ({ otherSentinels, replicas }) => otherSentinels > sentinels.length - 1 || replicas > instances.length,
    );
    if (!crowded || agreement.kind !== "agreed") return;
    const leads = sameAddress(agreement.master, self);
    const master = leads ? server : instances.find(({ address }) => sameAddress(address, agreement.master));
    if (master === undefined) return;
    const role = await askRole(master);
    if (role.kind !== "master") return;
    const answers = await Promise.allSettled(
      sentinels.map(async (sentinel) => ({
        sentinel: sentinel.address,
        sentinels: await askKnownSentinels(sentinel, masterName),
        replicas: (await askReplicas(sentinel, masterName)).map(({ address }) => address),
      })),
    );
    const known = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
    const calm =
      views.length === sentinels.length &&
      views.every((view) => sameAddress(view.master, agreement.master) && !seesTrouble(view));
    const found = this.#finder.observe({
      known,
      attached: role.replicas,
      nowMs: performance.now(),
      mayAct: leads && calm,
    });
    this.#tell(known.flatMap((one) => this.#finder.ghostsOf(one)).map(({ host }) => host));
    const sentinel = sentinels.find(({ address }) => found !== undefined && sameAddress(address, found));
    if (sentinel === undefined) return;
    log.warn(
      { sentinel: formatAddress(sentinel.address) },
      "a Sentinel knows hosts that were removed: it forgets everybody and learns anew",
    );
    await sentinel.call("SENTINEL", "RESET", masterName);
  }

  /** Once, and again when it changes: it explains what `SENTINEL CKQUORUM` says meanwhile. */
  #tell(ghosts: readonly string[]): void {
    const names = [...new Set(ghosts)].sort().join(", ");
    if (names !== this.#told && names !== "") {
      this.#options.log.info({ hosts: names }, "the Sentinels know hosts that are not configured");
    }
    this.#told = names;
  }
}
