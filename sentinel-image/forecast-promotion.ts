import type { Address } from "../quorum/address.ts";
import type { ReplicaView } from "../quorum/ask-sentinel.ts";

/** What would come of asking one Sentinel for a failover now. */
export interface PromotionForecast {
  readonly sentinel: Address;
  /** The replica that it would promote, and the `replica-priority` that it knows of it. */
  readonly replica: Address;
  readonly priority: number;
  /** How long until it notices the promotion and announces it, ms. Until then nobody takes writes. */
  readonly announcedInMs: number;
}

/** While a Sentinel fails over it asks each replica once in this time, whatever its other periods are. */
const askPeriodMs = 1000;
/** From the forecast to the promotion: the replicas receive the last writes, and the Sentinel takes two turns. */
const promotionMs = 300;

/**
 * Foretells which replica a Sentinel would promote, and when it would notice that it has done so. It looks only at its
 * next regular question to that replica, so the moment of the order decides about most of the time without a master.
 * Undefined: it has nobody to promote.
 */
export function forecastPromotion(
  sentinel: Address,
  replicas: readonly ReplicaView[],
): PromotionForecast | undefined {
  const [chosen] = replicas
    .filter(({ promotable }) => promotable)
    .toSorted((a, b) => a.priority - b.priority || b.offset - a.offset || (a.runId < b.runId ? -1 : 1));
  if (chosen === undefined) return undefined;
  const nextMs = Math.max(0, askPeriodMs - chosen.askedMsAgo);
  return {
    sentinel,
    replica: chosen.address,
    priority: chosen.priority,
    announcedInMs: nextMs < promotionMs ? nextMs + askPeriodMs : nextMs,
  };
}

/** In this time every Sentinel has heard of the heir and had its best moment, ms. */
const patienceMs = 2000;
const goodMs = 400;

/**
 * The forecast to act on now; undefined: a better moment will come, and clients lose nothing while it is waited for. After a
 * while less is good enough, and in the end anything.
 */
export function chooseForecast(
  forecasts: readonly PromotionForecast[],
  waitedMs: number,
): PromotionForecast | undefined {
  const [best] = forecasts.toSorted((a, b) => a.announcedInMs - b.announcedInMs);
  const acceptedMs = goodMs + 2 * Math.max(0, waitedMs - patienceMs);
  return best !== undefined && best.announcedInMs <= acceptedMs ? best : undefined;
}
