import { isDeepStrictEqual } from "node:util";
import type { V1ContainerStatus, V1Deployment, V1Job, V1Pod, V1ReplicaSet } from "@kubernetes/client-node";

/** A Deployment with what it owns, as the cluster has them now. */
export interface DeploymentView {
  readonly deployment: V1Deployment;
  /** At least those of this Deployment. */
  readonly replicaSets: readonly V1ReplicaSet[];
  /** All pods that it selects, of whatever template. */
  readonly pods: readonly V1Pod[];
}

/** What has to be reached. */
export interface RolloutGoal {
  /** Pods that the program wants: somebody may have scaled them away. */
  readonly replicas: number;
  /** Restarts of each pod's containers when the program began, by the pod's uid: earlier crashes prove nothing. */
  readonly earlierRestarts: ReadonlyMap<string, number>;
}

/** A container to blame, for its log. */
export interface Culprit {
  readonly pod: string;
  readonly container: string;
  /** The one that ended, not the one that was started again. */
  readonly previous: boolean;
}

/** How far a Deployment's rollout is. */
export type RolloutState =
  | { readonly kind: "done" }
  | { readonly kind: "waiting"; readonly reason: string }
  | {
      readonly kind: "failed";
      readonly reason: string;
      readonly culprit?: Culprit;
      /** It passes sometimes, as when a registry has a hiccup: only after this long it is final. */
      readonly toleratedMs: number;
    };

/** For states that a registry or the API server may recover from. */
const hiccupMs = 20_000;
/** For a pod that was in a crash loop before the program began: its next start may be the good one. */
const oldLoopMs = 60_000;
const hiccups: ReadonlySet<string> = new Set([
  "ImagePullBackOff",
  "ErrImagePull",
  "CreateContainerConfigError",
  "CreateContainerError",
  "RunContainerError",
]);
const hopeless: ReadonlySet<string> = new Set(["InvalidImageName", "ErrImageNeverPull"]);

/**
 * Whether all pods of a Deployment are of its newest template and ready, and no other is left; if not, why, and whether waiting
 * makes sense. Only pods of the newest template are blamed: an older one may be broken, and be replaced for that very reason.
 */
export function rolloutState(view: DeploymentView, goal: RolloutGoal): RolloutState {
  const { deployment } = view;
  const { spec, status = {}, metadata } = deployment;
  const wanted = spec?.replicas ?? 1;
  if ((status.observedGeneration ?? 0) < (metadata?.generation ?? 1)) {
    return waiting("the cluster has not begun yet");
  }
  if (wanted < goal.replicas) {
    return {
      kind: "failed",
      reason: `it was scaled to ${wanted}, the program wants ${goal.replicas}. Scale it back: kubectl -n ${metadata?.namespace} scale deployment ${metadata?.name} --replicas=${goal.replicas}`,
      toleratedMs: 0,
    };
  }
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = status;
  if (updatedReplicas === wanted && replicas === wanted && availableReplicas === wanted)
    return { kind: "done" };
  const trouble = podTrouble(newestPods(view), goal.earlierRestarts);
  if (trouble !== undefined) return trouble;
  const refused = status.conditions?.find(
    ({ type, status: is }) => type === "ReplicaFailure" && is === "True",
  );
  if (refused !== undefined) {
    return { kind: "failed", reason: `no pod can be made: ${refused.message}`, toleratedMs: hiccupMs };
  }
  return waiting(whatIsMissing(view, wanted));
}

/** Whether a Job's only pod has done its work. */
export function jobState(job: V1Job, pods: readonly V1Pod[]): RolloutState {
  const { succeeded = 0, failed = 0 } = job.status ?? {};
  if (succeeded > 0) return { kind: "done" };
  if (failed === 0) return podTrouble(pods, new Map()) ?? waiting("its pod has not ended yet");
  const pod = pods.find(({ status }) => status?.phase === "Failed") ?? pods[0];
  const container = pod === undefined ? undefined : containersOf(pod)[0];
  return {
    kind: "failed",
    reason: `its pod ended with exit code ${container?.state?.terminated?.exitCode ?? "?"}`,
    toleratedMs: 0,
    ...(container === undefined
      ? {}
      : { culprit: { pod: pod?.metadata?.name ?? "", container: container.name, previous: false } }),
  };
}

function waiting(reason: string): RolloutState {
  return { kind: "waiting", reason };
}

/** The first thing that keeps one of some pods from running; undefined: nothing that is known. */
export function podTrouble(
  pods: readonly V1Pod[],
  earlierRestarts: ReadonlyMap<string, number>,
): RolloutState | undefined {
  for (const pod of pods) {
    const name = pod.metadata?.name ?? "";
    const earlier = earlierRestarts.get(pod.metadata?.uid ?? "") ?? 0;
    for (const container of containersOf(pod)) {
      const found = troubleOf(container, earlier);
      if (found === undefined) continue;
      const { what, toleratedMs, log } = found;
      const previous = container.state?.terminated === undefined;
      return {
        kind: "failed",
        reason: `pod ${name}, container '${container.name}': ${what}`,
        toleratedMs,
        ...(log ? { culprit: { pod: name, container: container.name, previous } } : {}),
      };
    }
  }
  return undefined;
}

function troubleOf(
  { state, lastState, restartCount }: V1ContainerStatus,
  earlierRestarts: number,
): { what: string; toleratedMs: number; log: boolean } | undefined {
  const ended = state?.terminated ?? lastState?.terminated;
  const hasCrashed = restartCount > earlierRestarts || state?.terminated !== undefined;
  if (ended?.reason === "OOMKilled" && hasCrashed) {
    return {
      what: "was killed because it used more memory than its limit (OOMKilled)",
      toleratedMs: 0,
      log: true,
    };
  }
  const { reason = "", message } = state?.waiting ?? {};
  if (reason === "CrashLoopBackOff") {
    const toleratedMs = restartCount > earlierRestarts ? 0 : oldLoopMs;
    return { what: `keeps ending with exit code ${ended?.exitCode ?? "?"}`, toleratedMs, log: true };
  }
  if (!hopeless.has(reason) && !hiccups.has(reason)) return undefined;
  return {
    what: message === undefined ? reason : `${reason}: ${message}`,
    toleratedMs: hopeless.has(reason) ? 0 : hiccupMs,
    log: false,
  };
}

function containersOf({ status }: V1Pod): V1ContainerStatus[] {
  return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
}

/** Pods of the template that the Deployment has now, without those that are about to go. */
function newestPods({ deployment, replicaSets, pods }: DeploymentView): V1Pod[] {
  const newest = replicaSets.find(
    ({ metadata, spec }) =>
      metadata?.ownerReferences?.some(({ uid }) => uid === deployment.metadata?.uid) === true &&
      isDeepStrictEqual(withoutHash(spec?.template), withoutHash(deployment.spec?.template)),
  );
  const hash = newest?.metadata?.labels?.[hashLabel];
  if (hash === undefined) return [];
  return pods.filter(
    ({ metadata }) => metadata?.labels?.[hashLabel] === hash && metadata.deletionTimestamp === undefined,
  );
}

const hashLabel = "pod-template-hash";

/** A template as plain data, without the label that the controller adds to a ReplicaSet's copy. */
function withoutHash(template: unknown): unknown {
  const copy = JSON.parse(JSON.stringify(template ?? {})) as {
    metadata?: { labels?: Record<string, string> };
  };
  delete copy.metadata?.labels?.[hashLabel];
  return copy;
}

function whatIsMissing(view: DeploymentView, wanted: number): string {
  const fresh = newestPods(view);
  const leaving = view.pods.filter(({ metadata }) => metadata?.deletionTimestamp !== undefined);
  if (fresh.length === 0 && leaving.length > 0) return `pod ${leaving[0]?.metadata?.name} is ending`;
  const unready = fresh.find(({ status }) => conditionOf(status?.conditions, "Ready")?.status !== "True");
  const { status, metadata } = unready ?? {};
  const unscheduled = conditionOf(status?.conditions, "PodScheduled");
  if (unscheduled?.status === "False") return `pod ${metadata?.name} finds no node: ${unscheduled.message}`;
  const why = conditionOf(status?.conditions, "Ready")?.message;
  if (unready !== undefined)
    return `pod ${metadata?.name} is not ready yet${why === undefined ? "" : `: ${why}`}`;
  const { updatedReplicas = 0, availableReplicas = 0 } = view.deployment.status ?? {};
  return `${updatedReplicas} of ${wanted} pods are new, ${availableReplicas} are ready`;
}

function conditionOf<T extends { type: string }>(
  conditions: readonly T[] | undefined,
  type: string,
): T | undefined {
  return conditions?.find((condition) => condition.type === type);
}
