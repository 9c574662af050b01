import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { askSentinels } from "../../quorum/ask-sentinel.ts";
import type { ControlConnection } from "../../quorum/control-connection.ts";
import { PatientAgreement } from "../../quorum/patient-agreement.ts";
import { type Address, formatAddress } from "../../runtime/address.ts";
import { messageOf } from "../../runtime/log.ts";
import { askPeers } from "./ask-peer.ts";
import { decideStart, type StartDecision } from "./decide-start.ts";
import type { OwnCopy } from "./last-state.ts";

export interface ChooseRoleOptions {
  readonly self: Address;
  readonly masterName: string;
  readonly sentinels: readonly ControlConnection[];
  /** The other instances. */
  readonly peers: readonly ControlConnection[];
  readonly hasData: () => boolean;
  /** The data set can't be read. */
  readonly damaged: boolean;
  /** Whether instances keep their data when they end. Default true. */
  readonly persistent?: boolean;
  /** How new it is. */
  readonly copy: OwnCopy;
  /** `redis:durability` is `quorum`. */
  readonly quorum: boolean;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** The role to start in. */
export type StartRole = Exclude<StartDecision, { kind: "wait" }>;

const askEveryMs = 200;
const logEveryMs = 5000;
const failoverEveryMs = 2000;

/**
 * Asks all Sentinels and instances every 200 ms until the role of this one is certain, however long it takes. Says every
 * 5 s why it still waits.
 *
 * @throws {Error} only when `signal` ends the waiting.
 */
export async function chooseRole(options: ChooseRoleOptions): Promise<StartRole> {
  const { self, masterName, sentinels, peers, hasData, damaged, copy, quorum, persistent, log, signal } =
    options;
  const patient = new PatientAgreement();
  const begin = performance.now();
  let leaderSeenAt = begin;
  let certain = false;
  let logAt = performance.now() + 1000;
  let failoverAt = 0;
  let expectingSince: number | undefined;
  for (;;) {
    const [{ views }, answers] = await Promise.all([askSentinels(sentinels, masterName), askPeers(peers)]);
    const now = performance.now();
    if (answers.some(({ role }) => role === "master")) leaderSeenAt = now;
    const decision = decideStart({
      self,
      agreement: patient.agree(views, { sentinelCount: sentinels.length }, now),
      views,
      peerCount: peers.length,
      peers: answers,
      hasData: hasData(),
      damaged,
      copy,
      quorum,
      ...(persistent === undefined ? {} : { persistent }),
      askingForMs: now - begin,
      leaderlessForMs: now - leaderSeenAt,
      expectedFailoverForMs: expectingSince === undefined ? 0 : now - expectingSince,
    });
    // Asked once more before it listens as the master: one answer can fall into the middle of a failover.
    if (decision.kind === "follow" || (decision.kind === "lead" && certain)) return decision;
    certain = decision.kind === "lead";
    if (decision.kind === "lead") {
      await delay(askEveryMs, undefined, { signal });
      continue;
    }
    expectingSince = decision.expectsFailover ? (expectingSince ?? now) : undefined;
    if (decision.needsFailover && now >= failoverAt) {
      failoverAt = now + failoverEveryMs;
      await askForFailover(sentinels, masterName, log);
    }
    if (now >= logAt) {
      logAt = now + logEveryMs;
      log.warn({ self: formatAddress(self), reason: decision.reason }, "not starting yet");
    }
    await delay(askEveryMs, undefined, { signal });
  }
}

/**
 * Asks one Sentinel after the other, always in the same order, until one starts a failover or says that one runs.
 *
 * @returns whether one did.
 */
export async function askForFailover(
  sentinels: readonly ControlConnection[],
  masterName: string,
  log: Logger,
): Promise<boolean> {
  for (const sentinel of sentinels) {
    try {
      await sentinel.call("SENTINEL", "FAILOVER", masterName);
      log.warn({ sentinel: formatAddress(sentinel.address) }, "asked for a failover");
      return true;
    } catch (error) {
      log.info({ refused: messageOf(error) }, "a Sentinel did not start a failover");
      if (messageOf(error).includes("INPROG")) return true;
    }
  }
  return false;
}
