import { randomUUID } from "node:crypto";
import type { V1Pod } from "@kubernetes/client-node";
import {
  type HandOverAnswer,
  type HandOverOrder,
  isReplicaReason,
  orderingScript,
  readOrderOutput,
} from "../../runtime/hand-over-order.ts";
import type { ClusterApi } from "./cluster-api.ts";
import type { RolloutState } from "./state.ts";
import type { Subject } from "./watch.ts";

/** Instances that the program doesn't want any more, and those that it keeps. */
export interface LeavingArgs {
  readonly namespace: string;
  /** Labels of all Redis pods of the set, and of their Deployments. */
  readonly labels: Readonly<Record<string, string>>;
  /** Names of Deployments of Redis instances, whatever their number. */
  readonly isInstance: (deployment: string) => boolean;
  /** By the name of its Deployment, the `host:port` of each instance that stays. */
  readonly staying: ReadonlyMap<string, string>;
  /** For how long an instance that leaves must not be promoted when nobody says so again, ms. */
  readonly forMs: number;
}

/** Names of the Deployments of those instances that are there and not wanted any more. */
export async function findLeaving(
  api: Pick<ClusterApi, "deployments">,
  { namespace, labels, isInstance, staying }: LeavingArgs,
): Promise<string[]> {
  const deployments = await api.deployments(namespace, labels);
  return deployments
    .map(({ metadata }) => metadata?.name ?? "")
    .filter((name) => isInstance(name) && !staying.has(name))
    .toSorted();
}

/**
 * Instances that are going to be removed leave before anything else is changed: a master hands its role to one that stays, and none of them is promoted
 * any more. They go on as replicas until the update removes them.
 */
export function leavingOf(names: readonly string[], args: LeavingArgs): Subject {
  const { namespace, labels, staying } = args;
  let attempt = 0;
  return {
    namespace,
    labels,
    complaint: `${names.join(", ")} in namespace ${namespace} can't be removed yet`,
    look: async ({ api }) => {
      const pods = await api.pods(namespace, labels);
      // An older supervisor takes only one heir: each in its turn.
      const order = orderTo([...staying.values()], attempt++, args.forMs);
      const states = await Promise.all(
        names.map((name) => orderToLeave(api, args, pods.find(isRunningPodOf(name)), { name, order })),
      );
      return states.find(({ kind }) => kind !== "done") ?? { kind: "done" };
    },
    advice: `Nothing else was changed. See who leads (redis-ha status), hand the role to an instance that stays (redis-ha switchover --to 1), and run 'pulumi up' again. Or keep them: set redis:instances to what it was.`,
  };
}

function orderTo(staying: readonly string[], attempt: number, forMs: number): HandOverOrder {
  const heir = staying[attempt % staying.length] ?? "";
  return { id: randomUUID(), heir, leaving: { staying, forMs } };
}

/** The label has the name of the pod's Deployment. */
function isRunningPodOf(name: string): (pod: V1Pod) => boolean {
  return ({ metadata, status }) =>
    metadata?.labels?.["redis-ha/workload"] === name &&
    metadata.deletionTimestamp === undefined &&
    status?.containerStatuses?.some((one) => one.name === container && one.state?.running !== undefined) ===
      true;
}

const container = "redis";

async function orderToLeave(
  api: Pick<ClusterApi, "run">,
  { namespace, staying }: LeavingArgs,
  pod: V1Pod | undefined,
  { name, order }: { readonly name: string; readonly order: HandOverOrder },
): Promise<RolloutState> {
  // It leads nobody, and as it starts nobody may promote it; the next step asks again.
  if (pod === undefined) return { kind: "done" };
  let output: string;
  try {
    output = await api.run(namespace, pod.metadata?.name ?? "", container, orderingScript(order));
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { kind: "waiting", reason: `${name} can't be told to leave: ${explained(problem)}` };
  }
  const outcome = readOrderOutput(output, order);
  if (typeof outcome === "string") {
    return { kind: "waiting", reason: `${name} doesn't answer the order to leave (${outcome})` };
  }
  const leader = leaderOf(outcome);
  return leader === undefined || [...staying.values()].includes(leader)
    ? { kind: "done" }
    : { kind: "waiting", reason: `${leader} still leads: ${outcome.reason}` };
}

/** Who leads now; undefined: an older supervisor doesn't say, and doesn't lead itself. */
function leaderOf({ leads, successor, reason }: HandOverAnswer): string | undefined {
  if (leads !== undefined) return leads;
  if (successor !== "") return successor;
  return reason === isReplicaReason ? undefined : "this instance";
}

function explained(problem: string): string {
  return /\b403\b|forbidden/i.test(problem)
    ? `${problem}. Who takes instances away needs the right to 'get' and 'create' pods/exec`
    : problem;
}
