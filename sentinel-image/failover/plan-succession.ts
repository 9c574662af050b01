import type { Agreement } from "../../quorum/agreement.ts";
import { type Address, formatAddress, sameAddress } from "../../runtime/address.ts";
import type { PromotionForecast } from "./forecast-promotion.ts";

/** What another instance answered after the master's server had ended. `gone`: it is refused. `silent`: no answer yet. */
export interface PeerCopy {
  readonly address: Address;
  readonly copy: CopyState | "gone" | "silent";
}

/** An instance that answers. */
export type CopyState =
  | { readonly role: "master" }
  | {
      readonly role: "replica";
      /** Whom it follows. */
      readonly master: Address;
      readonly linkUp: boolean;
      /** What it has executed of that master's stream. */
      readonly offset: number;
      /** The Sentinels may promote it. */
      readonly promotable: boolean;
    };

/** What is known at one moment after this instance's server has ended by itself. */
export interface SuccessionObservation {
  readonly self: Address;
  /** Since it ended, ms. */
  readonly forMs: number;
  readonly agreement: Agreement;
  /** The replicas that were connected with it when it was looked at last, up to a second before. */
  readonly attached: readonly Address[];
  /** The other instances. */
  readonly peers: readonly PeerCopy[];
  /** Whom each Sentinel that answers, and would act at once, would promote. */
  readonly forecasts: readonly PromotionForecast[];
}

/** What to do now. */
export type SuccessionStep =
  | { readonly kind: "wait"; readonly reason: string }
  /** Ask one of these Sentinels for a failover at once, in this order. */
  | { readonly kind: "ask"; readonly sentinels: readonly Address[] }
  /** The Sentinels do it in their own time, or it is done. */
  | { readonly kind: "end"; readonly reason: string };

/** By then the Sentinels see the silence themselves, with the shortest `downAfterMs`, ms. */
export const successionMs = 1000;

/**
 * The next step of a master whose server is dead, and whose supervisor knows it for certain: the failover needn't wait until the Sentinels have heard
 * nothing for `down-after`. It waits for what that time gives for nothing: the replicas must have read everything that the dead master has given to the
 * kernel, which they have when their links are down, and the Sentinel must know which one has the most.
 */
export function planSuccession(seen: SuccessionObservation): SuccessionStep {
  const { self, forMs, agreement, attached, peers } = seen;
  const master = peers.find(({ copy }) => typeof copy === "object" && copy.role === "master");
  if (master !== undefined) return end(`${formatAddress(master.address)} is the master`);
  if (agreement.kind === "agreed" && !sameAddress(agreement.master, self)) {
    return end(`the Sentinels name ${formatAddress(agreement.master)}`);
  }
  const step = ready(seen);
  if (step.kind === "wait" && forMs >= successionMs) return end(`left to the Sentinels: ${step.reason}`);
  if (step.kind !== "ask") return step;
  const silent = peers.find(
    ({ address, copy }) => copy === "silent" && attached.some((one) => sameAddress(one, address)),
  );
  if (silent === undefined) return step;
  const reason = `${formatAddress(silent.address)} doesn't answer, and may have the most data`;
  return forMs >= successionMs ? end(`left to the Sentinels: ${reason}`) : wait(reason);
}

function ready({ self, agreement, peers, forecasts }: SuccessionObservation): SuccessionStep {
  // A Sentinel that is asked promotes without a vote of the others: behind a partition it would make a second master.
  if (agreement.kind === "none") return wait(`no agreement on the master: ${agreement.reason}`);
  const replicas = peers.flatMap(({ address, copy }) =>
    typeof copy === "object" && copy.role === "replica" && sameAddress(copy.master, self)
      ? [{ address, ...copy }]
      : [],
  );
  if (replicas.length === 0 && peers.every(({ copy }) => copy !== "silent"))
    return end("there is no replica");
  const reading = replicas.find(({ linkUp }) => linkUp);
  if (reading !== undefined) return wait(`${formatAddress(reading.address)} still reads`);
  const candidates = replicas.filter(({ promotable }) => promotable);
  if (candidates.length === 0) return wait("no replica could be promoted");
  const most = Math.max(...candidates.map(({ offset }) => offset));
  const isHeir = (address: Address): boolean =>
    candidates.some((candidate) => sameAddress(candidate.address, address) && candidate.offset === most);
  const right = forecasts.filter(
    (forecast) =>
      isHeir(forecast.replica) &&
      // Whatever it hears until it chooses: all are as good, or nobody has more than what it knows of that one.
      (forecast.candidates.every(isHeir) || forecast.offset >= most),
  );
  return right.length === 0
    ? wait("no Sentinel knows yet which replica has the most data")
    : { kind: "ask", sentinels: right.map(({ sentinel }) => sentinel) };
}

function wait(reason: string): SuccessionStep {
  return { kind: "wait", reason };
}

function end(reason: string): SuccessionStep {
  return { kind: "end", reason };
}
