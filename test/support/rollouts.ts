import assert from "node:assert/strict";
import { execa } from "execa";
import type { RunningStack } from "../../chaos/stack/running-stack.ts";
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
  /** The master has to stay the same. */
  readonly keepsMaster?: boolean;
  /** Returns when it is under way, or over; that all is well again is waited for afterwards. */
  readonly run: (stack: TestStack, running: RunningStack, endpoint: Endpoint) => Promise<unknown>;
}

const uncertain = ["UNCERTAIN"];
/** A master whose replicas have gone first refuses writes; then everything is down for longer than commands are held. */
const allDown = ["UNCERTAIN", "LOADING", "NOREPLICAS"];

/** A base image with another digest, as the next patch release of the base would be. */
async function nextBase(base: string, tag: string): Promise<void> {
  const input = `FROM ${base}\nLABEL patch=${tag}\n`;
  await execa("docker", ["build", "--quiet", "--tag", tag, "-"], { input });
}

/** All of them, in the order in which they are done. */
export const rollouts: readonly Rollout[] = [
  {
    name: "sentinel:downAfterMs changed",
    quick: false,
    allows: [],
    gapMs: 1000,
    run: async (stack) => {
      await stack.configure({ "sentinel:downAfterMs": "1200" });
      await stack.up();
    },
  },
  {
    name: "redis:passwordGeneration raised",
    quick: false,
    allows: [],
    gapMs: 1000,
    keepsMaster: true,
    run: async (stack, _running, { takesNewPassword }) => {
      await stack.configure({ "redis:passwordGeneration": "2" });
      await stack.up();
      // The kubelet brings the files into running pods within about a minute.
      await eventually(async () => assert.ok(await takesNewPassword()), { withinMs: 150_000, everyMs: 1000 });
    },
  },
  {
    name: "tls:generation raised",
    quick: false,
    allows: [],
    gapMs: 1000,
    keepsMaster: true,
    run: async (stack, _running, { issuer }) => {
      await stack.configure({ "tls:generation": "2" });
      await stack.up();
      await eventually(async () => assert.match(await issuer(), /authority 2$/), {
        withinMs: 150_000,
        everyMs: 1000,
      });
    },
  },
  {
    name: "redis:memory changed",
    quick: false,
    allows: uncertain,
    gapMs: 5000,
    run: async (stack) => {
      await stack.configure({ "redis:memory": "288Mi" });
      await stack.up();
    },
  },
  {
    name: "images changed",
    quick: false,
    allows: uncertain,
    gapMs: 5000,
    run: async (stack) => {
      await nextBase("redis:8.2.9-trixie", "redis:8.2.9-patched");
      await nextBase("node:26.10.0-trixie-slim", "node:26.10.0-patched");
      await stack.configure({
        "images:redisBase": "redis:8.2.9-patched",
        "images:nodeBase": "node:26.10.0-patched",
      });
      await stack.up();
    },
  },
  {
    name: "master's pod deleted",
    quick: true,
    allows: uncertain,
    gapMs: 5000,
    run: async (_stack, running) =>
      running.deletePods(`redis-ha/workload=${(await running.master()).workload}`),
  },
  {
    name: "master's volume and pod deleted",
    quick: false,
    allows: uncertain,
    gapMs: 5000,
    run: async (stack, running) => {
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
    name: "all Deployments restarted at once",
    quick: true,
    allows: allDown,
    gapMs: 60_000,
    run: (_stack, running) => running.kubectl("rollout", "restart", "deployment"),
  },
  {
    name: "all pods killed at once",
    quick: true,
    allows: allDown,
    gapMs: 60_000,
    run: (_stack, running) =>
      running.deletePods("app.kubernetes.io/name=redis-ha", "--force", "--grace-period=0"),
  },
];
