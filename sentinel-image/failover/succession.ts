import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { agree } from "../../quorum/agreement.ts";
import { askSentinel } from "../../quorum/ask-sentinel.ts";
import type { ControlConnection } from "../../quorum/control-connection.ts";
import { type Address, joinAddress, sameAddress } from "../../runtime/address.ts";
import { isRefused, parseInfo } from "../start/ask-peer.ts";
import { askForFailover } from "../start/choose-role.ts";
import { answersWithin, within } from "../supervise/within.ts";
import { askForecast } from "./ask-forecast.ts";
import {
  type CopyState,
  type PeerCopy,
  planSuccession,
  type SuccessionObservation,
} from "./plan-succession.ts";

export interface SuccessionOptions {
  readonly self: Address;
  readonly masterName: string;
  readonly sentinels: readonly ControlConnection[];
  /** The other instances. */
  readonly peers: readonly ControlConnection[];
  /** The replicas that were connected when this instance was looked at last. */
  readonly attached: readonly Address[];
  readonly log: Logger;
  /** This instance is told to stop now: the Sentinels do the rest. */
  readonly signal: AbortSignal;
}

/** Between two looks, ms. Clients wait. */
const lookEveryMs = 10;

/** How long one look waits for the others, ms: somebody who is frozen must not hold up the rest. */
const answerWithinMs = 60;

/**
 * Has this instance replaced, whose server was the master and has ended by itself: at once, and not when the Sentinels have noticed. It takes a
 * second at most; whatever goes wrong, the Sentinels do it in their own time.
 *
 * @returns whether a Sentinel has accepted.
 */
export async function arrangeSuccession(options: SuccessionOptions): Promise<boolean> {
  const { sentinels, masterName, log, signal } = options;
  const beginMs = performance.now();
  const forMs = (): number => Math.round(performance.now() - beginMs);
  let waitedFor: string | undefined;
  while (!signal.aborted) {
    const step = planSuccession(await observe(options, forMs()));
    if (step.kind === "end") {
      log.warn({ reason: step.reason, forMs: forMs() }, "no failover was asked for");
      return false;
    }
    if (step.kind === "ask") {
      const right = step.sentinels.flatMap((address) =>
        sentinels.filter((sentinel) => sameAddress(sentinel.address, address)),
      );
      log.warn(
        { forMs: forMs(), waitedFor },
        "the master's server has ended by itself: it is replaced at once",
      );
      return askForFailover(right, masterName, log);
    }
    waitedFor = step.reason;
    await delay(lookEveryMs, undefined, { signal }).catch(() => undefined);
  }
  return false;
}

async function observe(
  { self, masterName, sentinels, peers, attached }: SuccessionOptions,
  forMs: number,
): Promise<SuccessionObservation> {
  const [views, forecasts, copies] = await Promise.all([
    answersWithin(
      answerWithinMs,
      sentinels.map((sentinel) => askSentinel(sentinel, masterName)),
    ),
    answersWithin(
      answerWithinMs,
      sentinels.map((sentinel) => askForecast(sentinel, masterName, { masterLives: false })),
    ),
    askCopies(peers),
  ]);
  return {
    self,
    forMs,
    attached,
    agreement: agree(views, { sentinelCount: sentinels.length }),
    peers: copies,
    forecasts: forecasts.filter((forecast) => forecast !== undefined),
  };
}

async function askCopies(peers: readonly ControlConnection[]): Promise<PeerCopy[]> {
  const answers = await within(
    answerWithinMs,
    peers.map(async (peer) => readCopy(String(await peer.call("INFO", "replication")))),
  );
  return peers.map(({ address }, i) => {
    const answer = answers[i];
    if (answer?.status === "fulfilled") return { address, copy: answer.value };
    // Nobody listens there. Whoever can't be reached, or answers an error, may still have a copy.
    const refused = answer?.status === "rejected" && isRefused(answer.reason);
    return { address, copy: refused ? "gone" : "silent" };
  });
}

/** `INFO replication` of an instance, as far as it decides who is the next master. */
export function readCopy(info: string): CopyState {
  const fields = parseInfo(info);
  if (fields.get("role") === "master") return { role: "master" };
  return {
    role: "replica",
    master: joinAddress(fields.get("master_host") ?? "", fields.get("master_port")),
    linkUp: fields.get("master_link_status") === "up",
    offset: Number(fields.get("slave_repl_offset")),
    promotable: fields.get("slave_priority") !== "0",
  };
}
