import type { V1Deployment } from "@kubernetes/client-node";
import type { ClusterApi } from "./cluster-api.ts";
import { type Culprit, type RolloutState, rolloutState } from "./state.ts";

/** Something that is waited for. */
export interface Subject {
  readonly namespace: string;
  /** For messages: `Deployment redis-instance-3 is not rolled out`. */
  readonly complaint: string;
  /** Labels of its pods. */
  readonly labels: Readonly<Record<string, string>>;
  /** How far it is now. */
  readonly look: (watched: Watched) => Promise<RolloutState>;
  /** What a person should do when it fails. */
  readonly advice: string;
}

/** What is known since the program began. */
export interface Watched {
  readonly api: ClusterApi;
  /** Restarts of each pod's containers when the program began, by the pod's uid. */
  readonly earlierRestarts: ReadonlyMap<string, number>;
}

/** A Deployment that is waited for. */
export interface Target {
  readonly namespace: string;
  readonly name: string;
  /** Labels of its pods and ReplicaSets. */
  readonly labels: Readonly<Record<string, string>>;
  /** Pods that the program wants. */
  readonly replicas: number;
  /** What the provider has applied: the cluster must be as far. Undefined: whatever it has. */
  readonly applied?: { readonly uid: string; readonly generation: number } | undefined;
}

/** A Deployment's rollout. */
export function rolloutOf(target: Target): Subject {
  const { namespace, name, labels } = target;
  return {
    namespace,
    labels,
    complaint: `Deployment ${namespace}/${name} is not rolled out`,
    look: (watched) => stateOf(target, watched),
    advice:
      "What comes after it was not touched. Mend the cause, then run 'pulumi up' again: it goes on from here.",
  };
}

/** How a wait is done. */
export interface WatchOptions extends Watched {
  /** Bound of the wait. */
  readonly timeoutMs: number;
  /** Told when the reason changes, and from time to time while it doesn't. */
  readonly onProgress: (reason: string) => void;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
}

/** A rollout that didn't come to its end, with everything that a person needs to mend it. */
export class RolloutError extends Error {
  override readonly name = "RolloutError";
}

const everyMs = 300;
const progressEveryMs = 30_000;

/**
 * Waits until something is done.
 *
 * @throws {RolloutError} when it can't become so, at once; and when it takes too long.
 */
export async function untilDone(subject: Subject, options: WatchOptions): Promise<void> {
  const { timeoutMs, onProgress, now, sleep } = options;
  const begin = now();
  let told: string | undefined;
  let toldAt = begin;
  /** Its reason may change meanwhile: a pull fails, then waits to be tried again. */
  let troubledSince: number | undefined;
  for (;;) {
    const state = await lookAt(subject, options);
    if (state.kind === "done") return;
    troubledSince = state.kind === "failed" ? (troubledSince ?? now()) : undefined;
    if (state.kind === "failed" && now() - (troubledSince ?? 0) >= state.toleratedMs) {
      throw new RolloutError(await explain(subject, state.reason, state.culprit, options));
    }
    if (now() - begin >= timeoutMs) {
      const late = `after ${Math.round(timeoutMs / 1000)} s (redis-ha:rolloutSeconds): ${state.reason}`;
      throw new RolloutError(await explain(subject, late, await anyCulprit(subject, options), options));
    }
    if (state.reason !== told || now() - toldAt >= progressEveryMs) {
      told = state.reason;
      toldAt = now();
      onProgress(state.reason);
    }
    await sleep(everyMs);
  }
}

/** An API server that doesn't answer is a reason to wait. */
async function lookAt(subject: Subject, watched: Watched): Promise<RolloutState> {
  try {
    return await subject.look(watched);
  } catch (error) {
    return { kind: "waiting", reason: `the API server doesn't say: ${messageOf(error)}` };
  }
}

/** How far a Deployment is now. @throws {Error} when the API server doesn't answer. */
export async function stateOf(target: Target, { api, earlierRestarts }: Watched): Promise<RolloutState> {
  const { namespace, name, labels, applied } = target;
  const deployment = await api.deployment(namespace, name);
  if (deployment === undefined) {
    return {
      kind: "failed",
      reason:
        "the cluster doesn't have it, although the stack's state does: pulumi up --refresh makes it anew",
      toleratedMs: 0,
    };
  }
  if (isOlder(deployment, applied)) return { kind: "waiting", reason: "the cluster has not begun yet" };
  const goal = { replicas: target.replicas, earlierRestarts };
  const quick = rolloutState({ deployment, replicaSets: [], pods: [] }, goal);
  if (quick.kind === "done") return quick;
  const [replicaSets, pods] = await Promise.all([
    api.replicaSets(namespace, labels),
    api.pods(namespace, labels),
  ]);
  return rolloutState({ deployment, replicaSets, pods }, goal);
}

function isOlder({ metadata }: V1Deployment, applied: Target["applied"]): boolean {
  // Another uid: somebody has made it anew, and its generations began again.
  if (applied === undefined || applied.uid !== metadata?.uid) return false;
  return (metadata.generation ?? 0) < applied.generation;
}

/** Any pod that isn't ready: its log may say why. */
async function anyCulprit(
  { namespace, labels }: Subject,
  { api }: WatchOptions,
): Promise<Culprit | undefined> {
  const pods = await api.pods(namespace, labels).catch(() => []);
  const unready = pods.find(
    ({ metadata, status }) =>
      metadata?.deletionTimestamp === undefined &&
      status?.containerStatuses?.some(({ ready, state }) => !ready && state?.running !== undefined) === true,
  );
  const [container] = unready?.status?.containerStatuses ?? [];
  if (unready?.metadata?.name === undefined || container === undefined) return undefined;
  return { pod: unready.metadata.name, container: container.name, previous: false };
}

async function explain(
  { namespace, complaint, advice }: Subject,
  reason: string,
  culprit: Culprit | undefined,
  { api }: WatchOptions,
): Promise<string> {
  const lines = [`${complaint}: ${reason}`];
  if (culprit !== undefined) {
    const { pod, container, previous } = culprit;
    const log = await lastWords(api, namespace, culprit);
    if (log !== "") lines.push(`The end of its log:\n${log.replace(/^/gm, "    ")}`);
    lines.push(
      `All of it: kubectl -n ${namespace} logs ${pod} -c ${container}${previous ? " --previous" : ""}`,
    );
  }
  lines.push(advice);
  return lines.join("\n");
}

async function lastWords(
  api: ClusterApi,
  namespace: string,
  { pod, container, previous }: Culprit,
): Promise<string> {
  for (const earlier of previous ? [true, false] : [false]) {
    const log = await api.log(namespace, pod, container, earlier).catch(() => "");
    if (log.trim() !== "") return log.trimEnd();
  }
  return "";
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
}
