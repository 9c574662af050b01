import { type Address, formatAddress, sameAddress } from "../runtime/address.ts";
import type { Agreement } from "./agreement.ts";

/** What a watcher knows of the master. */
export type MasterState =
  | {
      readonly kind: "following";
      readonly master: Address;
      readonly configEpoch: number;
      /** A script keeps it from everything but `SCRIPT KILL` and the like: it answers `BUSY`. */
      readonly busy?: true;
    }
  | {
      readonly kind: "searching";
      readonly reason: string;
      /** The master that was followed and doesn't answer just now: nobody new is sent to it, but it isn't given up yet. */
      readonly suspect?: Suspect;
    };

/** What to ask a Redis before a decision. */
export interface Candidate {
  readonly master: Address;
  readonly configEpoch: number;
}

/** A master that failed to answer. */
export interface Suspect extends Candidate {
  readonly failures: number;
  readonly sinceMs: number;
}

/** What a candidate answered to the question for its role. */
export type Probe =
  | { readonly kind: "master" }
  | { readonly kind: "replica"; readonly master: Address }
  /** `BUSY`: it can't say what it is. */
  | { readonly kind: "busy"; readonly problem: string }
  | { readonly kind: "silent"; readonly problem: string };

/**
 * A pause of the machine or one lost packet must not cut every client off: so many failures, so long. And while most
 * Sentinels see the master up no failover comes, so what it has in flight is neither lost nor outdated: it is only busy.
 */
const [givenUpAfterFailures, givenUpAfterMs] = [3, 1000];

/**
 * The Redis whose ROLE decides: the one that the Sentinels agree on, else the one that was followed. Without any agreement
 * the old master is kept as long as it says that it is one: losing the Sentinels is no reason to stop serving.
 */
export function candidateOf(state: MasterState, agreement: Agreement): Candidate | undefined {
  if (agreement.kind === "agreed") return agreement;
  return state.kind === "following" ? state : state.suspect;
}

/** The Redis that was asked for its role. */
export interface Asked {
  readonly candidate: Candidate;
  readonly probe: Probe;
  /** A majority of the Sentinels names it and sees it up. */
  readonly seenUp: boolean;
}

/** The next state, after the candidate was asked for its role. */
export function nextState(
  state: MasterState,
  agreement: Agreement,
  asked: Asked | undefined,
  nowMs: number,
): MasterState {
  if (asked === undefined) {
    return {
      kind: "searching",
      reason: agreement.kind === "none" ? agreement.reason : "nobody was asked yet",
    };
  }
  const { candidate, probe, seenUp } = asked;
  const { master, configEpoch } = candidate;
  switch (probe.kind) {
    case "master":
      return { kind: "following", master, configEpoch };
    case "replica":
      return { kind: "searching", reason: `${formatAddress(master)} is a replica` };
    case "busy":
    case "silent": {
      const lost = { kind: "searching", reason: probe.problem } as const;
      const before = state.kind === "following" ? state : state.suspect;
      if (before === undefined || !sameAddress(before.master, master)) return lost;
      // What it was when the script began it is still, since it takes no REPLICAOF before the script ends. Once the Sentinels see
      // it down, and BUSY is no sign of life to them, another master is coming.
      if (probe.kind === "busy" && agreement.kind === "agreed" && seenUp)
        return { kind: "following", master, configEpoch, busy: true };
      const { failures, sinceMs } = "failures" in before ? before : { failures: 0, sinceMs: nowMs };
      const suspect = { master, configEpoch, failures: failures + 1, sinceMs };
      const tooLong = suspect.failures >= givenUpAfterFailures && nowMs - sinceMs > givenUpAfterMs;
      return tooLong && !seenUp ? lost : { ...lost, suspect };
    }
  }
}

/** Whether clients notice a difference. */
export function sameState(a: MasterState, b: MasterState): boolean {
  if (a.kind === "following")
    return b.kind === "following" && sameAddress(a.master, b.master) && a.busy === b.busy;
  return b.kind === "searching" && (a.suspect === undefined) === (b.suspect === undefined);
}
