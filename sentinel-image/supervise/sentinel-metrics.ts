import { agree, majorityOf, type SentinelView, seesTrouble } from "../../quorum/agreement.ts";
import { type Address, formatAddress, sameAddress } from "../../runtime/address.ts";
import type { Metric } from "./metrics-text.ts";

/**
 * What an instance sees of the Sentinels: they have no port for metrics, and no second process.
 *
 * @param sentinels all that are configured.
 * @param views of those that answered.
 */
export function sentinelMetrics(sentinels: readonly Address[], views: readonly SentinelView[]): Metric[] {
  const agreement = agree(views, { sentinelCount: sentinels.length });
  const agreed = agreement.kind === "agreed" ? agreement.master : undefined;
  const each = sentinels.flatMap((sentinel): Metric[] => {
    const labels = { sentinel: formatAddress(sentinel) };
    const metric = (name: string, help: string, value: number): Metric => ({
      name: `redis_ha_sentinel_${name}`,
      help,
      value,
      labels,
    });
    const view = views.find((candidate) => sameAddress(candidate.sentinel, sentinel));
    const up = metric("up", "1: this Sentinel answers this instance.", view === undefined ? 0 : 1);
    if (view === undefined) return [up];
    return [
      up,
      metric("known_sentinels", "Sentinels that it knows, itself among them.", view.otherSentinels + 1),
      metric("known_replicas", "Replicas that it knows.", view.replicas),
      metric("quorum", "Sentinels that must see the master down.", view.settings?.quorum ?? Number.NaN),
      metric("config_epoch", "Epoch of the master that it names.", view.configEpoch),
      metric("sees_trouble", "1: it sees the master down, or fails it over.", seesTrouble(view) ? 1 : 0),
      metric(
        "agrees",
        "1: it names the master that a majority names.",
        agreed !== undefined && sameAddress(agreed, view.master) ? 1 : 0,
      ),
    ];
  });
  return [
    ...each,
    {
      name: "redis_ha_master_agreed",
      help: "1: a majority of all Sentinels names one master, as this instance sees it.",
      value: agreed === undefined ? 0 : 1,
    },
    {
      name: "redis_ha_sentinels_missing",
      help: "Sentinels that don't answer this instance.",
      value: sentinels.length - views.length,
    },
    {
      name: "redis_ha_sentinels_majority",
      help: "1: enough Sentinels answer this instance to elect a leader.",
      value: views.length >= majorityOf(sentinels.length) ? 1 : 0,
    },
  ];
}
