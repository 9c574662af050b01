import type { AttackBudget } from "./attacker-connection.ts";
import { type AttackContext, attacks } from "./attacks.ts";
import { RateLimit } from "./rate-limit.ts";
import { SeededRandom } from "./seeded-random.ts";

export interface AttackerOptions {
  readonly seed: number;
  readonly password: string;
  /** Attacks at a time. */
  readonly attackers: number;
  /** Bytes and connections in a second, of all of them together; undefined: as many as go. */
  readonly bytesPerSecond: number | undefined;
  readonly connectionsPerSecond: number | undefined;
  /** Names of {@link attacks}. */
  readonly attacks: readonly string[];
}

/** Ports that are attacked. */
export interface AttackTarget {
  readonly port: number;
  readonly sentinelPort: number;
}

/** What was sent in one phase. */
export interface AttackVolume {
  readonly bytes: number;
  readonly connections: number;
  readonly attacks: number;
}

/** One attack never takes longer, ms. */
const attackWithinMs = 10_000;

/** Attacks from many connections: which ones, in which order and with which bytes the seed tells. */
export class Attacker {
  readonly #options: AttackerOptions;
  readonly #randoms: readonly SeededRandom[];

  constructor(options: AttackerOptions) {
    this.#options = options;
    const random = new SeededRandom(options.seed);
    this.#randoms = Array.from({ length: options.attackers }, () => random.fork());
  }

  /** Attacks a target for so long, and leaves no connection behind. */
  async run(target: AttackTarget, ms: number): Promise<AttackVolume> {
    const { bytesPerSecond, connectionsPerSecond } = this.#options;
    const budget: AttackBudget = {
      bytes: new RateLimit(bytesPerSecond ?? Number.POSITIVE_INFINITY),
      connections: new RateLimit(connectionsPerSecond ?? Number.POSITIVE_INFINITY),
      used: { bytes: 0, connections: 0 },
    };
    const phase = AbortSignal.timeout(ms);
    const counts = await Promise.all(
      this.#randoms.map((random) => this.#attackUntil(phase, { random, budget, ...target })),
    );
    return { ...budget.used, attacks: counts.reduce((sum, count) => sum + count, 0) };
  }

  async #attackUntil(
    phase: AbortSignal,
    context: Omit<AttackContext, "signal" | "password">,
  ): Promise<number> {
    const { password, attacks: names } = this.#options;
    let count = 0;
    while (!phase.aborted) {
      const attack = attacks[context.random.pick(names)];
      if (attack === undefined)
        throw new Error(`there are no attacks but ${Object.keys(attacks).join(", ")}`);
      const signal = AbortSignal.any([phase, AbortSignal.timeout(attackWithinMs)]);
      await attack({ ...context, password, signal });
      count++;
      // An attack that is refused at once must not turn into a loop without an end.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return count;
  }
}
