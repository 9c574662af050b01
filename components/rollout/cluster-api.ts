import type { V1Deployment, V1Job, V1Pod, V1ReplicaSet } from "@kubernetes/client-node";

/** What a rollout is watched with: a few questions to the API server. */
export interface ClusterApi {
  /** Undefined: it isn't there. */
  deployment(namespace: string, name: string): Promise<V1Deployment | undefined>;
  job(namespace: string, name: string): Promise<V1Job | undefined>;
  replicaSets(namespace: string, labels: Labels): Promise<V1ReplicaSet[]>;
  pods(namespace: string, labels: Labels): Promise<V1Pod[]>;
  /** The last lines that a container has written. @param previous the one that ended, not the one that was started again. */
  log(namespace: string, pod: string, container: string, previous: boolean): Promise<string>;
}

type Labels = Readonly<Record<string, string>>;

/** An API server that is busy answers late; one that is gone, never. */
const answerWithinMs = 15_000;
const logLines = 20;

/**
 * Connects as the provider does: to a context of the kubeconfig, or to its current one.
 *
 * @param context of the kubeconfig that KUBECONFIG names, else ~/.kube/config, else the pod's own cluster.
 * @throws {Error} when there is no such context.
 */
export async function connectApi(context: string | undefined): Promise<ClusterApi> {
  // Loaded when first needed: a preview asks nothing, and this package is big.
  const { ApiException, AppsV1Api, BatchV1Api, CoreV1Api, KubeConfig } = await import(
    "@kubernetes/client-node"
  );
  const config = new KubeConfig();
  const given = process.env.KUBECONFIG ?? "";
  // The provider takes a kubeconfig's text in the place of its path, too.
  if (given.includes("\n") || given.startsWith("{")) config.loadFromString(given);
  else config.loadFromDefault();
  if (context !== undefined) {
    if (config.getContextObject(context) === null)
      throw new Error(`the kubeconfig has no context '${context}'`);
    config.setCurrentContext(context);
  }
  const apps = config.makeApiClient(AppsV1Api);
  const core = config.makeApiClient(CoreV1Api);
  const batch = config.makeApiClient(BatchV1Api);
  const ifThere = async <T>(answer: Promise<T>): Promise<T | undefined> => {
    try {
      return await within(answer);
    } catch (error) {
      if (error instanceof ApiException && error.code === 404) return undefined;
      throw error;
    }
  };
  return {
    deployment: (namespace, name) => ifThere(apps.readNamespacedDeployment({ namespace, name })),
    job: (namespace, name) => ifThere(batch.readNamespacedJob({ namespace, name })),
    replicaSets: async (namespace, labels) =>
      (await within(apps.listNamespacedReplicaSet({ namespace, labelSelector: selector(labels) }))).items,
    pods: async (namespace, labels) =>
      (await within(core.listNamespacedPod({ namespace, labelSelector: selector(labels) }))).items,
    log: (namespace, name, container, previous) =>
      within(core.readNamespacedPodLog({ namespace, name, container, previous, tailLines: logLines })),
  };
}

function selector(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(",");
}

async function within<T>(answer: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`no answer within ${answerWithinMs / 1000} s`)),
    answerWithinMs,
  );
  try {
    return await Promise.race([answer, promise]);
  } finally {
    clearTimeout(timer);
  }
}
