import { askReplicas } from "../../quorum/ask-sentinel.ts";
import type { ControlConnection } from "../../quorum/control-connection.ts";
import { parseInfo } from "../start/ask-peer.ts";
import { forecastPromotion, type PromotionForecast } from "./forecast-promotion.ts";

/**
 * Asks a Sentinel whom it would promote now. Undefined: nobody; or it has stood still for two seconds, by which it mistrusts its clock for the next 30
 * (TILT): asked for a failover then, it would accept, and do nothing before those are over.
 *
 * @throws {Error} when the Sentinel can't be reached, doesn't know the master or answers nonsense.
 */
export async function askForecast(
  sentinel: ControlConnection,
  masterName: string,
  options: { readonly masterLives: boolean },
): Promise<PromotionForecast | undefined> {
  const [replicas, info] = await Promise.all([
    askReplicas(sentinel, masterName),
    sentinel.call("INFO", "sentinel"),
  ]);
  const tilted = parseInfo(String(info)).get("sentinel_tilt") === "1";
  return tilted ? undefined : forecastPromotion(sentinel.address, replicas, options);
}
