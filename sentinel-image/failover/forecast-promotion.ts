import type { ReplicaView } from "../../quorum/ask-sentinel.ts";
import type { Address } from "../../runtime/address.ts";

/** What would come of asking one Sentinel for a failover now. */
export interface PromotionForecast {
  readonly sentinel: Address;
  /** The replica that it would promote, and the `replica-priority` that it knows of it. */
  readonly replica: Address;
  readonly priority: number;
  /** What it knows of that replica's data: up to a second old. */
  readonly offset: number;
  /** All that it could promote, this one among them. */
  readonly candidates: readonly Address[];
}

/**
 * Foretells which replica a Sentinel would promote, by the rules of `sentinel.c`. Undefined: it has nobody to promote.
 *
 * @param masterLives only replicas that are linked with it count. A Sentinel doesn't ask for that; a hand-over does.
 */
export function forecastPromotion(
  sentinel: Address,
  replicas: readonly ReplicaView[],
  { masterLives = true } = {},
): PromotionForecast | undefined {
  const candidates = replicas.filter(({ promotable, eligible }) => (masterLives ? promotable : eligible));
  const [chosen] = candidates.toSorted(
    (a, b) => a.priority - b.priority || b.offset - a.offset || (a.runId < b.runId ? -1 : 1),
  );
  return (
    chosen && {
      sentinel,
      replica: chosen.address,
      priority: chosen.priority,
      offset: chosen.offset,
      candidates: candidates.map(({ address }) => address),
    }
  );
}
