import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { type Address, formatAddress, parseAddress } from "../../runtime/address.ts";
import {
  answerFile,
  type HandOverAnswer,
  type HandOverOrder,
  orderFile,
} from "../../runtime/hand-over-order.ts";
import { messageOf } from "../../runtime/log.ts";
import { replaceFile } from "../../runtime/replace-file.ts";
import type { HandOverOutcome } from "./hand-over.ts";

const lookEveryMs = 200;

/** What came of an order to leave. */
export interface LeaveOutcome extends HandOverOutcome {
  /** The master that this instance follows or is. */
  readonly leads: Address;
}

export interface HandOverOrdersOptions {
  /** The folder `ha`. */
  readonly directory: string;
  /** @param heirs of whom one is to lead, the first that can. */
  readonly handOver: (heirs: readonly Address[]) => Promise<HandOverOutcome>;
  /** The data of another Redis are this set's own from now on, and this instance leads. */
  readonly cutOver: () => Promise<HandOverOutcome>;
  /** This instance is going to be removed: it hands its role over, and isn't promoted any more. @returns who leads. */
  readonly leave: (staying: readonly Address[], forMs: number) => Promise<LeaveOutcome>;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Takes an operator's orders until `signal`. One that was left behind by an earlier run is none. */
export async function takeHandOverOrders(options: HandOverOrdersOptions): Promise<void> {
  const { directory, log, signal } = options;
  const file = join(directory, orderFile);
  rmSync(file, { force: true });
  while (!signal.aborted) {
    try {
      if (existsSync(file)) {
        const order = readOrder(readFileSync(file, "utf8"));
        rmSync(file);
        const answer = await carryOut(order, options);
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
  const { id, heir, leaving, move } = JSON.parse(text) as Record<string, unknown>;
  if (typeof id !== "string" || typeof heir !== "string") throw new Error("an order needs an id and an heir");
  parseAddress(heir);
  if (move !== undefined && move !== "cut-over") throw new Error("the only order about a move is cut-over");
  if (move !== undefined) return { id, heir, move };
  if (leaving === undefined) return { id, heir };
  const { staying, forMs } = leaving as Record<string, unknown>;
  if (!Array.isArray(staying) || staying.length === 0 || !(Number(forMs) > 0))
    throw new Error("an order to leave needs those who stay, and a time");
  const names = staying.map(String);
  for (const name of names) parseAddress(name);
  return { id, heir, leaving: { staying: names, forMs: Number(forMs) } };
}

async function carryOut(
  { id, heir, leaving, move }: HandOverOrder,
  { handOver, cutOver, leave, log }: HandOverOrdersOptions,
): Promise<HandOverAnswer> {
  if (move !== undefined) {
    log.warn("an operator orders the cut-over");
    return answerTo(id, await cutOver());
  }
  if (leaving === undefined) {
    log.warn({ heir }, "an operator orders a hand-over");
    return answerTo(id, await handOver([parseAddress(heir)]));
  }
  const { staying, forMs } = leaving;
  log.warn({ staying, forMs }, "this instance is going to be removed");
  const outcome = await leave(
    staying.map((name) => parseAddress(name)),
    forMs,
  );
  return { ...answerTo(id, outcome), leads: formatAddress(outcome.leads) };
}

function answerTo(id: string, { successor, reason, pausedMs }: HandOverOutcome): HandOverAnswer {
  return {
    id,
    successor: successor === undefined ? "" : formatAddress(successor),
    reason,
    pausedMs: pausedMs ?? null,
  };
}
