import type { Address } from "../quorum/address.ts";
import type { ReplicaView } from "../quorum/ask-sentinel.ts";

/** What would come of asking one Sentinel for a failover now. */
export interface PromotionForecast {
  readonly sentinel: Address;
  /** The replica that it would promote, and the `replica-priority` that it knows of it. */
  readonly replica: Address;
  readonly priority: number;
}

/** Foretells which replica a Sentinel would promote, by the rules of `sentinel.c`. Undefined: it has nobody to promote. */
export function forecastPromotion(
  sentinel: Address,
  replicas: readonly ReplicaView[],
): PromotionForecast | undefined {
  const [chosen] = replicas
    .filter(({ promotable }) => promotable)
    .toSorted((a, b) => a.priority - b.priority || b.offset - a.offset || (a.runId < b.runId ? -1 : 1));
  return chosen && { sentinel, replica: chosen.address, priority: chosen.priority };
}
