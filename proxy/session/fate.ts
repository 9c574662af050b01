import type { CommandRule } from "../commands/command-rule.ts";
import type { Attempts } from "../upstream/command.ts";

/**
 * How a command came back.
 *
 * - `unsent`: no byte of it has left, or what was sent of it was only queued.
 * - `refused`: the server has said that it did not execute it, and that is proven.
 * - `lost`: it was in flight when its connection was lost, and has no effect.
 */
export type Return = "unsent" | "refused" | "lost";

/** What a fate depends on beside the command. */
export interface Situation {
  readonly nowMs: number;
  /** Number of the master that is followed: every change of masters is another term. */
  readonly term: number;
  readonly holdTimeoutMs: number;
}

/**
 * What becomes of a command that came back.
 *
 * - `again`: it is sent like any other.
 * - `againAlone`: it may be what breaks connections or masters. It is sent on a connection of its own, at a time when no
 *   other suspect of this process is under way, so that its loss would say who it was.
 * - `givenUp`: it has no effect, and was lost once too often.
 * - `tooLate`: it was certainly not executed, and has tried for longer than a client is held.
 */
export type Fate = "again" | "againAlone" | "givenUp" | "tooLate";

/** Takes note that a command came back. @param before what was known of it. */
export function cameBack(
  before: Attempts | undefined,
  how: Return,
  { nowMs, term }: Pick<Situation, "nowMs" | "term">,
): Attempts {
  const { sinceMs = nowMs, returns = 0, losses = 0, alone = false } = before ?? {};
  if (how !== "lost") return { sinceMs, returns: returns + 1, losses, alone: false, lostIn: before?.lostIn };
  return { sinceMs, returns: returns + 1, losses: losses + 1, alone, lostIn: term };
}

/**
 * Decides about a command that came back, when there is a master again. What may have had an effect never comes here after a loss.
 *
 * A command that blocks a master, or makes it grow until it is killed, costs each master that it is sent to. So nothing that was in
 * flight at the loss of two masters is sent to a third one. Which of many commands it was shows the second attempt: a suspect is
 * alone then. Commands that Redis calls `fast` can't block it, and are most of what is in flight at a failover: they go together.
 */
export function fateOf(
  { fast, route }: Pick<CommandRule, "fast" | "route">,
  { sinceMs, returns, losses, alone, lostIn }: Attempts,
  { nowMs, term, holdTimeoutMs }: Situation,
): Fate {
  const late = returns > 1 && nowMs - sinceMs > holdTimeoutMs;
  if (losses === 0) return late ? "tooLate" : "again";
  if (late || alone) return "givenUp";
  // It has a connection of its own, and may be there for hours: nobody could wait for its end.
  if (route === "blocking") return losses > 2 ? "givenUp" : "again";
  const masterLost = lostIn !== term;
  if (masterLost && losses > 1) return "givenUp";
  return fast && masterLost ? "again" : "againAlone";
}
