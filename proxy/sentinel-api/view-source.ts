import { randomBytes } from "node:crypto";
import { majorityOf, type SentinelSettings, type SentinelView } from "../../quorum/agreement.ts";
import type { MasterState } from "../../quorum/master-state.ts";
import type { Address } from "../../runtime/address.ts";
import type { SentinelApiView } from "./sentinel-api-view.ts";

export interface ViewSourceOptions {
  readonly masterName: string;
  readonly announced: Address;
  /** Where clients reach the Sentinel API of this proxy or of any other one. */
  readonly announcedSentinel: Address;
  readonly sentinelCount: number;
  /** Milliseconds for which commands are held without a master. */
  readonly holdTimeoutMs: number;
  /** What the real Sentinels said in the last round. */
  readonly sentinelViews: () => readonly SentinelView[];
  /** Milliseconds of a clock that only moves forward. */
  readonly now: () => number;
}

/** Redis' own defaults, until the first Sentinel has answered. */
const defaults = { downAfterMs: 30_000, failoverTimeoutMs: 180_000, parallelSyncs: 1 };

/** Makes the view of the Sentinel API out of what the proxy knows of the real master and Sentinels. */
export class ViewSource {
  readonly #options: ViewSourceOptions;
  readonly #ids = { runId: randomBytes(20).toString("hex"), myId: randomBytes(20).toString("hex") };
  #settings: SentinelSettings;
  #replicaCount = 0;
  #configEpoch = 0;
  /** The masters that followed each other within the hold deadline are one to clients: since when, and when it ends. */
  #sinceMs: number;
  #untilMs: number;

  constructor(options: ViewSourceOptions) {
    this.#options = options;
    this.#settings = { ...defaults, quorum: majorityOf(options.sentinelCount) };
    this.#sinceMs = this.#untilMs = options.now();
  }

  /** Takes note of a change of the master. */
  observe(state: MasterState): void {
    const now = this.#options.now();
    if (state.kind === "following") {
      if (now >= this.#untilMs) this.#sinceMs = now;
      this.#untilMs = Number.POSITIVE_INFINITY;
      this.#configEpoch = state.configEpoch;
    } else if (this.#untilMs === Number.POSITIVE_INFINITY) {
      this.#untilMs = now + this.#options.holdTimeoutMs;
    }
  }

  view(): SentinelApiView {
    const { masterName, announced, announcedSentinel, sentinelCount, sentinelViews, now } = this.#options;
    const views = sentinelViews();
    const telling = views.find(({ settings }) => settings !== undefined);
    // The last that was heard: a proxy that reaches no Sentinel still serves.
    this.#settings = telling?.settings ?? this.#settings;
    this.#replicaCount = telling?.replicas ?? this.#replicaCount;
    const nowMs = now();
    const following = nowMs < this.#untilMs;
    return {
      ...this.#ids,
      ...this.#settings,
      masterName,
      announced,
      announcedSentinel,
      sentinelCount,
      configEpoch: this.#configEpoch,
      reachableSentinels: views.length,
      replicaCount: this.#replicaCount,
      following,
      unchangedForMs: Math.floor(nowMs - (following ? this.#sinceMs : this.#untilMs)),
    };
  }
}
