import assert from "node:assert/strict";
import { execa } from "execa";
import type { RunningStack } from "../../workshop/chaos/stack/running-stack.ts";
import { eventually } from "./eventually.ts";
import type { TestStack } from "./test-stack.ts";

/** What clients find at the stack's endpoint now. */
export interface Endpoint {
  /** Whether a client gets in with the password that the stack has as an output. */
  readonly takesNewPassword: () => Promise<boolean>;
  /** The authority of the proxy's certificate. */
  readonly issuer: () => Promise<string>;
}

/** Something that is done to a stack while clients write. */
export interface Rollout {
  readonly name: string;
  /** Short enough for every run of the tests. */
  readonly quick: boolean;
  /** Classes of errors that clients may see. */
  readonly allows: readonly string[];
  /** Longest time in ms without an acknowledged write. */
  readonly gapMs: number;
  /** At most one Redis and one Sentinel are away at any moment, and no proxy. */
  readonly oneAtATime: boolean;
  /** The master has to stay the same. */
  readonly keepsMaster?: boolean;
  /**
   * Returns when it is under way, or over; that all is well again is waited for afterwards.
   *
   * @param round from 0: each has to change something.
   */
  readonly run: (on: RolloutSubject, round: number) => Promise<unknown>;
}

/** What is rolled. */
export interface RolloutSubject {
  readonly stack: TestStack;
  readonly running: RunningStack;
  readonly endpoint: Endpoint;
}

const uncertain = ["UNCERTAIN"];
/** A master whose replicas have gone first refuses writes; then everything is down for longer than commands are held. */
const allDown = ["UNCERTAIN", "LOADING", "NOREPLICAS"];

/** A base image with another digest, as the next patch release of the base would be. */
async function nextBase(base: string, tag: string): Promise<void> {
  const input = `FROM ${base}\nLABEL patch=${tag}\n`;
  await execa("docker", ["build", "--quiet", "--tag", tag, "-"], { input });
}

/** One of two values, each in its turn. */
function alternate(round: number, first: string, second: string): string {
  return round % 2 === 0 ? first : second;
}

/**
 * A roll by Pulumi: one pod at a time, and no client gets an error. Half a second without a write is wanted; where the cluster, the
 * clients and `pulumi up` share two cores it was up to 1.0 s (docs/operations.md), so this bound only finds what is broken.
 */
const byPulumi = { allows: [], gapMs: 1200, oneAtATime: true } as const;

/** All of them, in the order in which they are done. */
export const rollouts: readonly Rollout[] = [
  {
    name: "`sentinel:downAfterMs` changed (Sentinels, proxies)",
    quick: false,
    ...byPulumi,
    run: async ({ stack }, round) => {
      await stack.configure({ "sentinel:downAfterMs": alternate(round, "1200", "1000") });
      await stack.up();
    },
  },
  {
    name: "`redis:passwordGeneration` raised (Sentinels; the others take the new Secrets while they run)",
    quick: false,
    ...byPulumi,
    keepsMaster: true,
    run: async ({ stack, endpoint }, round) => {
      await stack.configure({ "redis:passwordGeneration": String(round + 2) });
      await stack.up();
      // The kubelet brings the files into running pods within about a minute.
      const isTaken = async (): Promise<void> => assert.ok(await endpoint.takesNewPassword());
      await eventually(isTaken, { withinMs: 150_000, everyMs: 1000 });
    },
  },
  {
    name: "`tls:generation` raised (the same)",
    quick: false,
    ...byPulumi,
    keepsMaster: true,
    run: async ({ stack, endpoint }, round) => {
      await stack.configure({ "tls:generation": String(round + 2) });
      await stack.up();
      const isServed = async (): Promise<void> =>
        assert.match(await endpoint.issuer(), new RegExp(`authority ${round + 2}$`));
      await eventually(isServed, { withinMs: 150_000, everyMs: 1000 });
    },
  },
  {
    name: "`redis:memory` changed (Redis)",
    quick: true,
    ...byPulumi,
    run: async ({ stack }, round) => {
      await stack.configure({ "redis:memory": alternate(round, "288Mi", "256Mi") });
      await stack.up();
    },
  },
  {
    name: "both base images changed (everything)",
    quick: false,
    ...byPulumi,
    run: async ({ stack }, round) => {
      const tag = `patched-${round}`;
      await nextBase("redis:8.2.9-trixie", `redis:8.2.9-${tag}`);
      await nextBase("node:26.10.0-trixie-slim", `node:26.10.0-${tag}`);
      await stack.configure({
        "images:redisBase": `redis:8.2.9-${tag}`,
        "images:nodeBase": `node:26.10.0-${tag}`,
      });
      await stack.up();
    },
  },
  {
    name: "the master's pod deleted",
    quick: true,
    allows: uncertain,
    gapMs: 5000,
    oneAtATime: true,
    run: async ({ running }) => running.deletePods(`redis-ha/workload=${(await running.master()).workload}`),
  },
  {
    name: "the master's volume and pod deleted, `pulumi up --refresh`",
    quick: false,
    allows: uncertain,
    gapMs: 5000,
    oneAtATime: true,
    run: async ({ stack, running }) => {
      const { workload: lost } = await running.master();
      await running.kubectl("delete", "pvc", `pvc-${lost}`, "--wait=false");
      await running.deletePods(`redis-ha/workload=${lost}`);
      await eventually(() => assert.rejects(running.kubectl("get", "pvc", `pvc-${lost}`), /NotFound/), {
        withinMs: 60_000,
      });
      await stack.up("--refresh");
    },
  },
  {
    name: "`kubectl rollout restart deployment`: all at once",
    quick: true,
    allows: allDown,
    gapMs: 60_000,
    oneAtATime: false,
    run: ({ running }) => running.kubectl("rollout", "restart", "deployment"),
  },
  {
    name: "all pods killed at once",
    quick: true,
    allows: allDown,
    gapMs: 60_000,
    oneAtATime: false,
    run: ({ running }) =>
      running.deletePods("app.kubernetes.io/name=redis-ha", "--force", "--grace-period=0"),
  },
];
