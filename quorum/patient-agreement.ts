import { formatAddress } from "../runtime/address.ts";
import { type Agreement, agree, type SentinelView } from "./agreement.ts";

/** A failover's leader tells the other Sentinels within a second. Whoever still stands alone after this is wrong. */
const patienceMs = 5000;

/**
 * {@link agree}, round after round, with a bound for objections. Right after a failover the leader alone knows the new
 * master and must be waited for; but one Sentinel with a wrong, huge epoch would otherwise be waited for for ever. The
 * same goes for the epoch that was accepted before: Sentinels that have all lost their state begin at 0 again.
 */
export class PatientAgreement {
  readonly #objections = new Map<string, number>();

  /**
   * @param nowMs the time of a clock that never goes back.
   */
  agree(
    answers: readonly SentinelView[],
    options: { readonly sentinelCount: number; readonly minEpoch?: number },
    nowMs: number,
  ): Agreement {
    let [views, minEpoch] = [answers, options.minEpoch ?? 0];
    const overruled = new Set<string>();
    for (;;) {
      const agreement = agree(views, { ...options, minEpoch });
      if (agreement.kind === "agreed") {
        for (const key of this.#objections.keys()) if (!overruled.has(key)) this.#objections.delete(key);
        return agreement;
      }
      const { objector } = agreement;
      if (objector === undefined) return agreement;
      const key = objector === "memory" ? objector : formatAddress(objector.sentinel);
      const since = this.#objections.get(key) ?? nowMs;
      this.#objections.set(key, since);
      if (nowMs - since < patienceMs) return agreement;
      overruled.add(key);
      if (objector === "memory") minEpoch = 0;
      else views = views.filter((view) => view !== objector);
    }
  }
}
