import { afterSocketsWereRead } from "../../runtime/after-sockets-were-read.ts";
import type { Upstream } from "./upstream.ts";
import { lanes } from "./upstream-group.ts";
import type { UpstreamGroups } from "./upstream-groups.ts";

/** Silence of an upstream that is to answer, ms; and of one that is to be asked. */
const silenceMs = 300;
const watchEveryMs = 100;
/** Connections that nobody needs are looked for once in so many times. */
const trimEvery = 100;

/** What there is to know of the master that is watched. */
export interface WatchedMaster {
  readonly holdTimeoutMs: number;
  readonly following: () => boolean;
  /** A script keeps it from answering: what is silent has to do with it. */
  readonly busy: () => boolean;
  /** Something is wrong with it: it should be asked whether it still is one. */
  readonly suspect: (reason: string) => void;
}

/** A frozen master closes nothing: it is found by the silence of the shared connections. */
export class SilenceWatch {
  readonly #groups: UpstreamGroups;
  readonly #master: WatchedMaster;
  readonly #timer: NodeJS.Timeout;
  #ticks = 0;
  /** When it was doubted last, ms of the monotonic clock. */
  #doubtedAt = Number.NEGATIVE_INFINITY;

  constructor(groups: UpstreamGroups, master: WatchedMaster) {
    this.#groups = groups;
    this.#master = master;
    // Not before what has come while this process was paused is read.
    this.#timer = setInterval(() => afterSocketsWereRead(() => this.look()), watchEveryMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Looks at all shared connections. */
  look(): void {
    const now = performance.now();
    const trim = ++this.#ticks % trimEvery === 0;
    this.#groups.tidy(now);
    for (const group of this.#groups) {
      if (trim) group.trim();
      for (const lane of lanes) {
        const shared = group.current(lane);
        if (shared === undefined || now - shared.quietSince < silenceMs) continue;
        if (this.#master.busy() && shared.inFlight > 0) {
          // The script came over it, or what it has is answered in a moment: nothing new waits behind that.
          group.retire(shared);
          shared.endWhenIdle();
        } else this.#doubt(shared, now);
      }
    }
  }

  /** Finds out why a shared connection is silent. */
  #doubt(shared: Upstream, now: number): void {
    if (shared.inFlight === 0) {
      shared.ask(["PING"], { reply: () => undefined, lost: () => undefined });
      return;
    }
    const { following, holdTimeoutMs, suspect } = this.#master;
    if (!following()) return;
    // Where it waits for replicas it is silent although it is well: it isn't doubted again and again.
    if (shared.confirming && now - this.#doubtedAt < silenceMs * 2) return;
    this.#doubtedAt = now;
    // The master says again and again that it is one, but not here: this connection leads to nobody any more.
    if (now - shared.quietSince > holdTimeoutMs) shared.destroy("it is silent, the master isn't");
    else suspect(`no answer for ${silenceMs} ms`);
  }
}
