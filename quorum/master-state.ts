import { type Address, sameAddress } from "./address.ts";
import type { Agreement } from "./agreement.ts";

/** What a watcher knows of the master. */
export type MasterState =
  | { readonly kind: "following"; readonly master: Address; readonly configEpoch: number }
  | { readonly kind: "searching"; readonly reason: string };

/** What to ask a Redis before a decision. */
export interface Candidate {
  readonly master: Address;
  readonly configEpoch: number;
}

/**
 * The Redis whose ROLE decides: the one that the Sentinels agree on, else the one that was followed. Without any agreement
 * the old master is kept as long as it says that it is one: losing the Sentinels is no reason to stop serving.
 */
export function candidateOf(state: MasterState, agreement: Agreement): Candidate | undefined {
  if (agreement.kind === "agreed") return agreement;
  return state.kind === "following" ? state : undefined;
}

/** The next state, after the candidate was asked for its role. `problem` is why it is no master. */
export function nextState(
  candidate: Candidate | undefined,
  agreement: Agreement,
  problem: string | undefined,
): MasterState {
  if (candidate === undefined || problem !== undefined) {
    const disagreement = agreement.kind === "none" ? agreement.reason : undefined;
    return { kind: "searching", reason: problem ?? disagreement ?? "nobody was asked yet" };
  }
  return { kind: "following", master: candidate.master, configEpoch: candidate.configEpoch };
}

/** Whether clients notice a difference. */
export function sameState(a: MasterState, b: MasterState): boolean {
  if (a.kind === "following" && b.kind === "following") return sameAddress(a.master, b.master);
  return a.kind === b.kind;
}
