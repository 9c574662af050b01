import { randomUUID } from "node:crypto";
import { orderingScript, readOrderOutput } from "../../../runtime/hand-over-order.ts";
import { UserError } from "../../../runtime/user-error.ts";
import { forgottenWithinMs } from "../scale-locally.ts";
import { pick, type Random } from "../seeded-random.ts";
import { waitUntil } from "../wait-until.ts";
import type { RunningStack } from "./running-stack.ts";
import type { StackFault } from "./stack-faults.ts";

/** Changes a stack as its owner does. */
export interface StackPulumi {
  configure(values: Readonly<Record<string, string>>): Promise<void>;
  /** `pulumi up`, to its end. */
  up(): Promise<unknown>;
}

const many = 5;
const few = 3;

const counts = (count: number): Record<string, string> => ({
  "redis:instances": String(count),
  "sentinel:count": String(count),
});

/** The API server and kubectl answer later than a Sentinel does. */
const askedWithinMs = forgottenWithinMs + 3000;

export const scale: StackFault = {
  name: "scale",
  summary: "3 instances and 3 Sentinels become 5, the role goes to any, and 3 again, by pulumi up",
  onlyByName: true,
  // Half a second is wanted; where the cluster, the clients and Pulumi share two cores it was up to 1.0 s (docs/operations.md).
  gapMs: 1200,
  allows: [],
  inject: async (stack, { pulumi, random, say }) => {
    if (pulumi === undefined) throw new UserError("The fault 'scale' needs a stack of Pulumi's.");
    if (stack.instances !== few)
      throw new UserError(
        `The fault 'scale' begins with ${few} instances, and the stack has ${stack.instances}.`,
      );
    await pulumi.configure(counts(many));
    await pulumi.up();
    await areKnown(stack, many);
    say(`${await leadAnywhere(stack, random)} leads`);
    await pulumi.configure(counts(few));
    await pulumi.up();
    const begin = performance.now();
    await areKnown(stack, few);
    say(`removed ones forgotten ${Math.round(performance.now() - begin)} ms after pulumi up`);
  },
};

/** Hands the role to an instance of chance. @returns its name. */
async function leadAnywhere(stack: RunningStack, random: Random): Promise<string> {
  const heir = pick(
    Array.from({ length: many }, (_, i) => `redis-instance-${i + 1}`),
    random,
  );
  const { workload: master } = await stack.master();
  if (heir === master) return heir;
  return waitUntil(
    `${heir} leads`,
    async () => {
      const order = { id: randomUUID(), heir: `svc-${heir}:6379` };
      const outcome = readOrderOutput(await stack.inPod(master, orderingScript(order)), order);
      if (typeof outcome !== "string" && outcome.successor === order.heir) return heir;
      throw new Error(typeof outcome === "string" ? outcome : outcome.reason);
    },
    30_000,
  );
}

/** Every Sentinel sees its master, and knows exactly the configured instances and Sentinels. */
async function areKnown(stack: RunningStack, count: number): Promise<void> {
  const sentinels = Array.from({ length: count }, (_, i) => `redis-sentinel-${i + 1}`);
  await waitUntil(
    "every Sentinel knows exactly the configured ones",
    async () => {
      await Promise.all(
        sentinels.map(async (sentinel) => {
          const words = (await stack.ask(sentinel, "-p 26379 sentinel master $MASTER_NAME")).split("\n");
          const field = (name: string): string | undefined => words[words.indexOf(name) + 1];
          // CKQUORUM is only for the exporter's user, whose password is in no pod: these are the numbers that it counts by.
          const known = [field("flags"), field("num-slaves"), field("num-other-sentinels")].join();
          if (known !== `master,${count - 1},${count - 1}`) throw new Error(`${sentinel}: ${known}`);
        }),
      );
      return true as const;
    },
    askedWithinMs,
  );
}
