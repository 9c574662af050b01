import { createHmac } from "node:crypto";

/**
 * A user's password in one generation: 40 hexadecimal digits, 160 bits. It is derived from the generation's secret seed, so
 * that a new user needs nothing new and changes nobody else's; no password tells the seed or another password.
 */
export function derivePassword(seed: string, user: string): string {
  return createHmac("sha256", seed).update(user).digest("hex").slice(0, 40);
}

/**
 * The generations whose passwords a server accepts: the one in use, the one before, and the next one. Whatever the order
 * in which the parts learn of a rotation, each finds its password accepted by all others.
 */
export function acceptedGenerations(current: number): number[] {
  return current === 1 ? [1, 2] : [current - 1, current, current + 1];
}
