import assert from "node:assert/strict";
import { execa } from "execa";
import { eventually } from "./eventually.ts";
import { kubectl } from "./kubectl.ts";
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
  readonly run: (stack: TestStack, namespace: string, endpoint: Endpoint) => Promise<unknown>;
}

/** In a pod of an instance or a Sentinel, as that part's own user. */
const redisCli =
  "REDISCLI_AUTH=$(cat $REDIS_PASSWORD_FILE) redis-cli --user $REDIS_USERNAME --tls --cacert $REDIS_TLS_DIR/ca.crt --cert $REDIS_TLS_DIR/tls.crt --key $REDIS_TLS_DIR/tls.key";

const uncertain = ["UNCERTAIN"];
/** A master whose replicas have gone first refuses writes; then everything is down for longer than commands are held. */
const allDown = ["UNCERTAIN", "LOADING", "NOREPLICAS"];

/** Asks the Redis or Sentinel of one workload, in its own pod. @param args of redis-cli. */
export function askInPod(namespace: string, workload: string, args: string): Promise<string> {
  const exec = ["exec", `deployment/${workload}`, "--", "sh", "-c", `${redisCli} ${args}`];
  return kubectl(["--namespace", namespace, ...exec]);
}

/** What one Sentinel says of the master: its workload, and the epoch, which rises with every failover. */
export async function masterOf(
  namespace: string,
): Promise<{ readonly workload: string; readonly epoch: string | undefined }> {
  const answer = await askInPod(namespace, "redis-sentinel-1", "-p 26379 sentinel master $MASTER_NAME");
  const words = answer.split("\n");
  const field = (name: string): string | undefined => words[words.indexOf(name) + 1];
  return { workload: `redis-instance-${field("ip")?.at(-1)}`, epoch: field("config-epoch") };
}

function deletePods(namespace: string, selector: string, ...more: string[]): Promise<string> {
  return kubectl([
    "--namespace",
    namespace,
    "delete",
    "pod",
    "--wait=false",
    "--selector",
    selector,
    ...more,
  ]);
}

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
    run: async (stack, _namespace, { takesNewPassword }) => {
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
    run: async (stack, _namespace, { issuer }) => {
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
    run: async (_stack, namespace) =>
      deletePods(namespace, `redis-ha/workload=${(await masterOf(namespace)).workload}`),
  },
  {
    name: "master's volume and pod deleted",
    quick: false,
    allows: uncertain,
    gapMs: 5000,
    run: async (stack, namespace) => {
      const { workload: lost } = await masterOf(namespace);
      await kubectl(["--namespace", namespace, "delete", "pvc", `pvc-${lost}`, "--wait=false"]);
      await deletePods(namespace, `redis-ha/workload=${lost}`);
      await eventually(
        () => assert.rejects(kubectl(["--namespace", namespace, "get", "pvc", `pvc-${lost}`]), /NotFound/),
        { withinMs: 60_000 },
      );
      await stack.up("--refresh");
    },
  },
  {
    name: "all Deployments restarted at once",
    quick: true,
    allows: allDown,
    gapMs: 60_000,
    run: (_stack, namespace) => kubectl(["--namespace", namespace, "rollout", "restart", "deployment"]),
  },
  {
    name: "all pods killed at once",
    quick: true,
    allows: allDown,
    gapMs: 60_000,
    run: (_stack, namespace) =>
      deletePods(namespace, "app.kubernetes.io/name=redis-ha", "--force", "--grace-period=0"),
  },
];
