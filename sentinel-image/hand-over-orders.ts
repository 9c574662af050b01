import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { type Address, formatAddress, parseAddress } from "../runtime/address.ts";
import { messageOf } from "../runtime/log.ts";
import { replaceFile } from "../runtime/replace-file.ts";
import type { HandOverOutcome } from "./hand-over.ts";

// Whoever may write to the volume may order: with kubectl that is the right to exec. No port, no role and no token is needed for it.

/** The order to the instance that leads, a file in the folder `ha` of its volume. It is removed when it is taken. */
export const orderFile = "hand-over.order";

/** The answer to it, in the same folder. */
export const answerFile = "hand-over.answer";

/** What an operator orders. */
export interface HandOverOrder {
  /** Any word; the answer has the same. */
  readonly id: string;
  /** `host:port` of the instance that is to lead. */
  readonly heir: string;
}

/** What came of it. */
export interface HandOverAnswer {
  readonly id: string;
  /** `host:port` that leads now; empty: it is as it was. */
  readonly successor: string;
  readonly reason: string;
  /** For how long writes were paused, ms; null: they weren't. */
  readonly pausedMs: number | null;
}

const lookEveryMs = 200;

export interface HandOverOrdersOptions {
  /** The folder `ha`. */
  readonly directory: string;
  readonly handOver: (heir: Address) => Promise<HandOverOutcome>;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Takes an operator's orders until `signal`. One that was left behind by an earlier run is none. */
export async function takeHandOverOrders({
  directory,
  handOver,
  log,
  signal,
}: HandOverOrdersOptions): Promise<void> {
  const file = join(directory, orderFile);
  rmSync(file, { force: true });
  while (!signal.aborted) {
    try {
      if (existsSync(file)) {
        const order = readOrder(readFileSync(file, "utf8"));
        rmSync(file);
        log.warn({ heir: order.heir }, "an operator orders a hand-over");
        const answer = await carryOut(order, handOver);
        replaceFile(join(directory, answerFile), JSON.stringify(answer));
      }
    } catch (error) {
      rmSync(file, { force: true });
      log.warn({ problem: messageOf(error) }, "an order could not be taken");
    }
    await delay(lookEveryMs, undefined, { signal }).catch(() => undefined);
  }
}

/** Reads an order. @throws {Error} when it is none. */
export function readOrder(text: string): HandOverOrder {
  const { id, heir } = JSON.parse(text) as Record<string, unknown>;
  if (typeof id !== "string" || typeof heir !== "string") throw new Error("an order needs an id and an heir");
  parseAddress(heir);
  return { id, heir };
}

async function carryOut(
  { id, heir }: HandOverOrder,
  handOver: HandOverOrdersOptions["handOver"],
): Promise<HandOverAnswer> {
  const { successor, reason, pausedMs } = await handOver(parseAddress(heir));
  return {
    id,
    successor: successor === undefined ? "" : formatAddress(successor),
    reason,
    pausedMs: pausedMs ?? null,
  };
}
