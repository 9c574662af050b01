import type { Random } from "../seeded-random.ts";
import type { RunningStack } from "./running-stack.ts";
import { type StackPulumi, scale } from "./scale-stack.ts";

/** What a fault works with beside the stack. */
export interface StackFaultContext {
  /** Undefined: the stack's owner isn't at hand. */
  readonly pulumi: StackPulumi | undefined;
  readonly random: Random;
  readonly say: (line: string) => void;
}

/** Something that goes wrong in a cluster, or is done on purpose, while clients write. */
export interface StackFault {
  readonly name: string;
  /** For people, one line. */
  readonly summary: string;
  /** Longest time in ms without an acknowledged write. */
  readonly gapMs: number;
  /** Classes of errors that clients may see. */
  readonly allows: readonly string[];
  /** Returns when it has happened; that all is well again is waited for afterwards. */
  readonly inject: (stack: RunningStack, context: StackFaultContext) => Promise<unknown>;
  /** It isn't one of those that are chosen at random. */
  readonly onlyByName?: boolean;
}

/** What lay in flight when the master was lost. */
const uncertain = ["UNCERTAIN"];
/** A master whose replicas have gone first refuses writes; then everything is down for longer than commands are held. */
const allDown = ["UNCERTAIN", "LOADING", "NOREPLICAS"];

/** `kill -9` of the server alone, as the kernel does when memory is short. The image has no pkill. */
const killServer =
  "for p in /proc/[0-9]*; do if grep -qsx -e redis-server -e valkey-server $p/comm; then kill -9 $(basename $p); fi; done";

/** What the volume of a new claim holds. */
const emptyVolume =
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's.
  'cd "${REDIS_DATA_DIR:-/data}" && rm -rf ./*';

async function mastersPod(stack: RunningStack): Promise<string> {
  return `redis-ha/workload=${(await stack.master()).workload}`;
}

/** All of them. */
export const stackFaults: readonly StackFault[] = [
  {
    name: "pod-deleted",
    summary: "the master's pod is deleted: it hands its role over",
    gapMs: 1000,
    allows: [],
    inject: async (stack) => stack.deletePods(await mastersPod(stack)),
  },
  {
    name: "pod-killed",
    summary: "the master's pod is deleted without a grace period",
    gapMs: 5000,
    allows: uncertain,
    inject: async (stack) => stack.deletePods(await mastersPod(stack), "--force", "--grace-period=0"),
  },
  {
    name: "server-killed",
    summary: "kill -9 of the master's redis-server: the kubelet starts its container again",
    gapMs: 5000,
    allows: uncertain,
    inject: async (stack) => stack.inPod((await stack.master()).workload, killServer),
  },
  {
    name: "wiped",
    summary: "the master's volume is emptied and its pod deleted: it comes back as an empty replica",
    gapMs: 5000,
    allows: uncertain,
    inject: async (stack) => {
      const { workload } = await stack.master();
      await stack.inPod(workload, emptyVolume);
      return stack.deletePods(`redis-ha/workload=${workload}`, "--force", "--grace-period=0");
    },
  },
  {
    name: "sentinel-killed",
    summary: "a Sentinel's pod is deleted without a grace period",
    gapMs: 1000,
    allows: [],
    inject: (stack) => stack.deletePods("redis-ha/workload=redis-sentinel-2", "--force", "--grace-period=0"),
  },
  {
    name: "restarted",
    summary: "kubectl rollout restart of all Deployments at once",
    gapMs: 60_000,
    allows: allDown,
    inject: (stack) => stack.kubectl("rollout", "restart", "deployment"),
  },
  {
    name: "all-killed",
    summary: "all pods are deleted at once without a grace period",
    gapMs: 60_000,
    allows: allDown,
    inject: (stack) => stack.deletePods("app.kubernetes.io/name=redis-ha", "--force", "--grace-period=0"),
  },
  scale,
];
