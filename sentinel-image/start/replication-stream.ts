import type { Role } from "../../quorum/ask-role.ts";

/** The offset that a replica had when its link was first seen; undefined without a link. */
export type LinkedOffset = number | undefined;

/**
 * Looks at a replica once more. After a full synchronisation the link is up, but the master sends nothing before it has heard from the
 * replica, which is up to a second later: until then the copy stands still while others go on. Something comes at least every three
 * seconds, with no client at all (`repl-ping-replica-period`).
 *
 * @returns whether the stream has begun, and what to remember for the next look.
 */
export function lookAtStream(
  role: Role,
  linkedOffset: LinkedOffset,
): { readonly streaming: boolean; readonly linkedOffset: LinkedOffset } {
  if (role.kind !== "replica" || !role.linkUp) return { streaming: false, linkedOffset: undefined };
  // A smaller one is another copy's: the link was lost between two looks.
  const first = linkedOffset === undefined || role.offset < linkedOffset ? role.offset : linkedOffset;
  return { streaming: role.offset > first, linkedOffset: first };
}
