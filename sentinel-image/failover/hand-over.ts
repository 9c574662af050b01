import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { agree } from "../../quorum/agreement.ts";
import { askRole } from "../../quorum/ask-role.ts";
import { askSentinels } from "../../quorum/ask-sentinel.ts";
import type { ControlConnection } from "../../quorum/control-connection.ts";
import { type Address, formatAddress, sameAddress } from "../../runtime/address.ts";
import { messageOf } from "../../runtime/log.ts";
import { askForFailover } from "../start/choose-role.ts";
import { ordinaryPriority } from "../supervise/plan-supervision.ts";
import { within } from "../supervise/within.ts";
import { askForecast } from "./ask-forecast.ts";
import { askCopy } from "./follow-keeping-data.ts";
import type { PromotionForecast } from "./forecast-promotion.ts";
import { judgeJoin } from "./keep-data.ts";
import {
  type HandOverObservation,
  type HandOverPhase,
  handOverBounds,
  heirPriority,
  type PeerRole,
  planHandOver,
} from "./plan-hand-over.ts";
import type { WritePause } from "./write-pause.ts";

export interface HandOverOptions {
  readonly self: Address;
  readonly masterName: string;
  /** This instance's own server. */
  readonly server: ControlConnection;
  /** Its writes. */
  readonly pause: WritePause;
  readonly sentinels: readonly ControlConnection[];
  /** The other instances. */
  readonly peers: readonly ControlConnection[];
  /** One of these is to lead, and no other one; undefined: whichever fits best. */
  readonly wanted?: readonly Address[] | undefined;
  /** `redis:durability` `quorum`: this instance follows nobody who may lack what it has. */
  readonly quorum?: boolean;
  /** It follows its successor from now on, and has less than that one. */
  readonly onFollowing?: (successor: Address) => void;
  readonly log: Logger;
  /** Gives the hand-over up: the server is to stop at once. */
  readonly signal: AbortSignal;
}

/** What came of a hand-over. */
export interface HandOverOutcome {
  /** Whom this instance follows now; undefined: it still has its role. */
  readonly successor: Address | undefined;
  /** Why it ended. */
  readonly reason: string;
  /** For how long writes were paused, ms; undefined: they weren't. */
  readonly pausedMs: number | undefined;
}

/** The pause ends by itself if this process dies in the middle of it, ms. */
const pauseMs = handOverBounds.catchingUp + handOverBounds.promoting + 1000;

/** Milliseconds between two looks. While writes are paused each of them is time that clients wait. */
const lookEveryMs = { preparing: 50, catchingUp: 5, promoting: 5, announcing: 30 } as const;

/** How long one look waits for the other instances: a frozen one must not hold up the rest. */
const peerGraceMs = 60;

/**
 * Hands the master's role to a replica before this instance stops. Whatever happens, it returns within about 8 s, and
 * nothing is paused any more then. On a replica, and without Sentinels or replicas, it returns within a second.
 */
export async function handOver(options: HandOverOptions): Promise<HandOverOutcome> {
  const { log, signal } = options;
  const hand = new HandOver(options);
  try {
    while (!signal.aborted && (await hand.step())) await delay(hand.lookAgainMs, undefined, { signal });
  } catch (error) {
    hand.reason = messageOf(error);
    if (!signal.aborted) log.warn({ problem: hand.reason }, "the hand-over failed");
  } finally {
    await hand.tidy();
  }
  return { successor: hand.successor, reason: hand.reason, pausedMs: hand.pausedMs };
}

class HandOver {
  /** Why it ended. */
  reason = "it was given up";
  /** Whom this instance follows now. */
  successor: Address | undefined;
  /** How long writes were paused. */
  pausedMs: number | undefined;
  readonly #options: HandOverOptions;
  #phase: HandOverPhase = { kind: "preparing", heir: undefined };
  #sinceMs = performance.now();
  /** Since when writes are paused; undefined: they aren't. */
  #pausedAtMs: number | undefined;
  #heir: ControlConnection | undefined;
  #lastForecasts: readonly PromotionForecast[] = [];

  constructor(options: HandOverOptions) {
    this.#options = options;
  }

  get lookAgainMs(): number {
    return lookEveryMs[this.#phase.kind];
  }

  /** Looks around and acts once. @returns false when the server can be stopped. */
  async step(): Promise<boolean> {
    const { server, pause, sentinels, peers, masterName, log } = this.#options;
    const step = planHandOver(await this.#observe());
    switch (step.kind) {
      case "wait":
        return true;
      case "favour":
        this.#heir = peers.find(({ address }) => sameAddress(address, step.heir));
        await this.#heir?.call("CONFIG", "SET", "replica-priority", heirPriority);
        this.#phase = { kind: "preparing", heir: step.heir };
        return true;
      case "pause": {
        const { heir, sentinel } = step;
        this.#pausedAtMs = performance.now();
        await pause.begin(pauseMs);
        const { offset } = await askRole(server);
        this.#enter({ kind: "catchingUp", heir, offset, sentinel });
        return true;
      }
      case "ask": {
        const first = sentinels.filter(({ address }) => sameAddress(address, step.sentinel));
        // The others may not have heard yet whom they are to prefer.
        const asked = this.#options.wanted === undefined ? [...new Set([...first, ...sentinels])] : first;
        const accepted = await askForFailover(asked, masterName, log);
        if (accepted) this.#enter({ kind: "promoting", heir: step.heir });
        else this.reason = "no Sentinel started a failover";
        return accepted;
      }
      case "stepDown": {
        const obstacle = await this.#obstacleTo(step.successor);
        if (obstacle !== undefined) {
          this.reason = `${formatAddress(step.successor)} may lack writes: ${obstacle}`;
          log.error({ reason: this.reason }, "the hand-over is given up");
          return false;
        }
        // Sent together: proxies that see a replica here end their connections 50 ms later, and what still waited in them
        // then would be neither refused nor executed as far as anybody can tell.
        await Promise.all([
          server.call("REPLICAOF", step.successor.host, step.successor.port),
          this.#unpause(),
        ]);
        this.successor = step.successor;
        this.#options.onFollowing?.(step.successor);
        log.info({ successor: formatAddress(step.successor) }, "handed the master's role over");
        this.#enter({ kind: "announcing", successor: step.successor });
        return true;
      }
      case "end":
        this.reason = step.reason;
        log.info({ reason: step.reason, phase: this.#phase.kind }, "the hand-over is over");
        return false;
    }
  }

  /** Why this instance may not follow that one; undefined: it may. Writes are paused, so that nothing changes until it does. */
  async #obstacleTo(successor: Address): Promise<string | undefined> {
    const { quorum, server, peers } = this.#options;
    const heir = peers.find(({ address }) => sameAddress(address, successor));
    if (quorum !== true || heir === undefined) return undefined;
    const [own, theirs] = await Promise.all([askCopy(server), askCopy(heir)]);
    const verdict = judgeJoin(own, theirs, undefined);
    return verdict.joins ? undefined : verdict.reason;
  }

  /** Leaves nothing behind, however it ended. */
  async tidy(): Promise<void> {
    const { log } = this.#options;
    const problems = await Promise.allSettled([
      this.#unpause(),
      this.#heir?.call("CONFIG", "SET", "replica-priority", ordinaryPriority),
    ]);
    for (const result of problems) {
      // A pause ends by itself, and the supervisor of a new master gives it its ordinary priority.
      if (result.status === "rejected") log.info({ problem: messageOf(result.reason) }, "could not tidy up");
    }
  }

  async #unpause(): Promise<void> {
    if (this.#pausedAtMs === undefined) return;
    const pausedMs = Math.round(performance.now() - this.#pausedAtMs);
    await this.#options.pause.end();
    this.#pausedAtMs = undefined;
    this.pausedMs = pausedMs;
    this.#options.log.info({ pausedMs }, "writes were paused");
  }

  #enter(phase: HandOverPhase): void {
    this.#phase = phase;
    this.#sinceMs = performance.now();
  }

  async #observe(): Promise<HandOverObservation> {
    const { self, server, sentinels, masterName, peers } = this.#options;
    const phase = this.#phase;
    const before = phase.kind === "preparing" ? await askRole(server) : undefined;
    const [roles, { views }] = await Promise.all([
      // A replica that is stopped needs none of the others.
      before?.kind === "replica" ? [] : askRoles(peers),
      before?.kind === "master" || phase.kind === "announcing"
        ? askSentinels(sentinels, masterName, (some) => some.length * 2 > sentinels.length && "nearly")
        : { views: [] },
    ]);
    if (phase.kind === "preparing" && views.length > 0) this.#lastForecasts = await this.#forecast();
    return {
      self,
      phase,
      forMs: performance.now() - this.#sinceMs,
      // A replica that is being promoted leaves this one while its answer is waited for.
      role: before ?? (await askRole(server)),
      agreement: agree(views, { sentinelCount: sentinels.length }),
      peers: roles,
      forecasts: this.#lastForecasts,
      wanted: this.#options.wanted,
    };
  }

  async #forecast(): Promise<PromotionForecast[]> {
    const { sentinels, masterName } = this.#options;
    const answers = await within(
      peerGraceMs,
      sentinels.map((sentinel) => askForecast(sentinel, masterName, { masterLives: true })),
    );
    return answers.flatMap((answer) =>
      answer?.status === "fulfilled" && answer.value !== undefined ? [answer.value] : [],
    );
  }
}

async function askRoles(peers: readonly ControlConnection[]): Promise<PeerRole[]> {
  const answers = await within(peerGraceMs, peers.map(askRole));
  return peers.map(({ address }, i) => {
    const answer = answers[i];
    if (answer === undefined) return { address, role: "silent" };
    return { address, role: answer.status === "fulfilled" ? answer.value : "gone" };
  });
}
