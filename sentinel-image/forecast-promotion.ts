import type { ReplicaView } from "../quorum/ask-sentinel.ts";
import type { Address } from "../runtime/address.ts";

/** What would come of asking one Sentinel for a failover now. */
export interface PromotionForecast {
  readonly sentinel: Address;
  /** The replica that it would promote, and the `replica-priority` that it knows of it. */
  readonly replica: Address;
  readonly priority: number;
  /** All that it could promote, this one among them. */
  readonly candidates: readonly Address[];
}

/** Foretells which replica a Sentinel would promote, by the rules of `sentinel.c`. Undefined: it has nobody to promote. */
export function forecastPromotion(
  sentinel: Address,
  replicas: readonly ReplicaView[],
): PromotionForecast | undefined {
  const candidates = replicas.filter(({ promotable }) => promotable);
  const [chosen] = candidates.toSorted(
    (a, b) => a.priority - b.priority || b.offset - a.offset || (a.runId < b.runId ? -1 : 1),
  );
  return (
    chosen && {
      sentinel,
      replica: chosen.address,
      priority: chosen.priority,
      candidates: candidates.map(({ address }) => address),
    }
  );
}
