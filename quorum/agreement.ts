import { type Address, formatAddress, sameAddress } from "../runtime/address.ts";

/** The settings of a Sentinel for one master. */
export interface SentinelSettings {
  readonly quorum: number;
  readonly downAfterMs: number;
  readonly failoverTimeoutMs: number;
  readonly parallelSyncs: number;
}

/** What one Sentinel says about the monitored master. */
export interface SentinelView {
  /** The Sentinel that was asked. */
  readonly sentinel: Address;
  /** The master that it names. */
  readonly master: Address;
  /** The configuration epoch of that statement: a failover raises it by at least one. */
  readonly configEpoch: number;
  /** Its flags of the master: `master`, `s_down`, `o_down`, `failover_in_progress`, … */
  readonly flags: readonly string[];
  /**
   * The master that the flags are about, when it is another one: this Sentinel leads the failover that has replaced it by
   * `master`, and is still at work on its replicas.
   */
  readonly replaced?: Address;
  /** Replicas that it knows of. */
  readonly replicas: number;
  /** Sentinels that it knows of beside itself. */
  readonly otherSentinels: number;
  /** Since when the master that its flags are about hasn't answered it, ms; undefined when it doesn't tell. */
  readonly silentMs?: number;
  /** The settings that it works by; undefined when it doesn't tell all of them. */
  readonly settings?: SentinelSettings;
}

/** The answer to "who is master?". */
export type Agreement =
  | {
      readonly kind: "agreed";
      readonly master: Address;
      readonly configEpoch: number;
      readonly votes: number;
    }
  | {
      readonly kind: "none";
      readonly reason: string;
      /** What alone stands against a majority's master: a Sentinel with a higher epoch, or the caller's `minEpoch`. */
      readonly objector?: SentinelView | "memory";
    };

/** The smallest number of Sentinels that is more than half of all of them. */
export function majorityOf(sentinelCount: number): number {
  return Math.floor(sentinelCount / 2) + 1;
}

/**
 * The master that a majority of *all* known Sentinels names, answering or not.
 *
 * A majority can still be outdated for a moment: right after a failover the leader alone carries the new
 * epoch. So a candidate that any Sentinel contradicts with a higher epoch is no agreement, and neither is one
 * below `minEpoch`, the highest epoch that was ever accepted by the caller.
 */
export function agree(
  answers: readonly SentinelView[],
  { sentinelCount, minEpoch = 0 }: { readonly sentinelCount: number; readonly minEpoch?: number },
): Agreement {
  const needed = majorityOf(sentinelCount);
  // A Sentinel that is listed twice has one vote.
  const views = answers.filter(
    (view, i) => answers.findIndex(({ sentinel }) => sameAddress(sentinel, view.sentinel)) === i,
  );
  if (views.length < needed) {
    return {
      kind: "none",
      reason: `${views.length} of ${sentinelCount} Sentinels answer, ${needed} are needed`,
    };
  }
  for (const { master } of views) {
    const supporters = views.filter((view) => sameAddress(view.master, master));
    if (supporters.length < needed) continue;
    // The epoch that a majority has reached: one Sentinel alone can't raise it.
    const epochs = supporters.map((view) => view.configEpoch).toSorted((a, b) => b - a);
    const configEpoch = epochs[needed - 1] ?? 0;
    const newer = views.find((view) => view.configEpoch > configEpoch && !sameAddress(view.master, master));
    if (newer !== undefined) {
      return {
        kind: "none",
        reason: `${formatAddress(newer.sentinel)} names ${formatAddress(newer.master)} at epoch ${newer.configEpoch}, newer than the majority's ${formatAddress(master)} at epoch ${configEpoch}`,
        objector: newer,
      };
    }
    if (configEpoch < minEpoch) {
      return {
        kind: "none",
        reason: `the majority names ${formatAddress(master)} at epoch ${configEpoch}, but epoch ${minEpoch} was already seen`,
        objector: "memory",
      };
    }
    return { kind: "agreed", master, configEpoch, votes: supporters.length };
  }
  const opinions = views.map((view) => `${formatAddress(view.sentinel)}→${formatAddress(view.master)}`);
  return { kind: "none", reason: `the Sentinels disagree: ${opinions.join(", ")}` };
}

/** Whether a Sentinel sees the master that its flags are about down, or fails it over. */
export function seesTrouble({ flags }: SentinelView): boolean {
  return flags.some((flag) => ["s_down", "o_down", "failover_in_progress"].includes(flag));
}

/** Whether a majority of all Sentinels names this master and doesn't see it down. */
export function majoritySeesUp(
  views: readonly SentinelView[],
  master: Address,
  sentinelCount: number,
): boolean {
  const up = views.filter((view) => sameAddress(view.master, master) && !seesTrouble(view));
  return up.length >= majorityOf(sentinelCount);
}

/**
 * The statement of the Sentinel that leads a failover: the only one at the highest epoch, above `above`. Its epoch is the
 * proof that a majority has elected it. Undefined unless a majority answers, so that no Sentinel decides from behind a
 * partition.
 */
export function newestView(
  views: readonly SentinelView[],
  { sentinelCount, above }: { readonly sentinelCount: number; readonly above: number },
): SentinelView | undefined {
  if (views.length < majorityOf(sentinelCount)) return undefined;
  const highest = Math.max(...views.map(({ configEpoch }) => configEpoch));
  const [newest, ...others] = views.filter(({ configEpoch }) => configEpoch === highest);
  if (newest === undefined || highest <= above) return undefined;
  return others.every(({ master }) => sameAddress(master, newest.master)) ? newest : undefined;
}
