import { randomUUID } from "node:crypto";
import { formatAddress } from "../../runtime/address.ts";
import type { HandOverAnswer } from "../../runtime/hand-over-order.ts";
import { UserError } from "../../runtime/user-error.ts";
import { planSwitchover } from "./plan-switchover.ts";
import type { Target } from "./target.ts";
import { waitUntilLeads } from "./wait-for.ts";

/** What came of a hand-over that was ordered. */
export interface SwitchoverResult {
  /** Names of the instances. */
  readonly from: string;
  readonly to: string;
  /** For how long the old master had writes paused, ms. */
  readonly pausedMs: number | null;
  /** From the order until the Sentinels named the new one. */
  readonly seconds: number;
}

/** All Sentinels name the new master within a second or two. */
const announcedWithinMs = 10_000;

/**
 * Hands the master's role over, and waits until the Sentinels name the new one.
 *
 * @param to number or name of the instance that is to lead; unset: the first one that can.
 * @param confirm asked before anything is done; it throws to stop it.
 * @throws {UserError} with the reason when it would not be safe, or didn't come to be.
 */
export async function switchOver(
  target: Target,
  to: string | undefined,
  confirm: (question: string) => Promise<void> = async () => undefined,
): Promise<SwitchoverResult> {
  const plan = planSwitchover(await target.observe({ logs: false }), to);
  if (plan.kind === "refuse") throw new UserError(`Refused: ${plan.reason}. Nothing was changed.`);
  const { master, heir } = plan;
  await confirm(`Hand the role of ${master.name} to ${heir.name}?`);
  const begin = performance.now();
  const order = { id: randomUUID(), heir: formatAddress(heir.address) };
  const answer = await target.orderHandOver(master.name, order);
  judge(answer, master.name, order.heir);
  await waitUntilLeads(target, heir.name, {
    withinMs: announcedWithinMs,
    everyMs: 200,
    late: (found) => `Handed over, but not announced within ${announcedWithinMs / 1000} s: ${found}.`,
  });
  const seconds = Math.round((performance.now() - begin) / 100) / 10;
  return { from: master.name, to: heir.name, pausedMs: answer.pausedMs, seconds };
}

function judge({ successor, reason }: HandOverAnswer, from: string, wanted: string): void {
  if (successor === "") throw new UserError(`Not handed over: ${reason}. ${from} leads as before.`);
  if (successor !== wanted)
    throw new UserError(
      `${wanted} was to lead, and ${successor} does: ${reason}. redis-ha status says more.`,
    );
}
