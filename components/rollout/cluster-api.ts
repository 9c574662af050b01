import type { V1Deployment, V1Job, V1Pod, V1ReplicaSet } from "@kubernetes/client-node";
import { boundedClient, openKubeconfig } from "../ownership/cluster-access.ts";
import { runInPod } from "./run-in-pod.ts";

/** What a rollout is watched with: a few questions to the API server. */
export interface ClusterApi {
  /** Undefined: it isn't there. */
  deployment(namespace: string, name: string): Promise<V1Deployment | undefined>;
  deployments(namespace: string, labels: Labels): Promise<V1Deployment[]>;
  job(namespace: string, name: string): Promise<V1Job | undefined>;
  replicaSets(namespace: string, labels: Labels): Promise<V1ReplicaSet[]>;
  pods(namespace: string, labels: Labels): Promise<V1Pod[]>;
  /** The last lines that a container has written. @param previous the one that ended, not the one that was started again. */
  log(namespace: string, pod: string, container: string, previous: boolean): Promise<string>;
  /** Runs a shell script in a container and gives what it printed. @throws {Error} when that may not be, or takes too long. */
  run(namespace: string, pod: string, container: string, script: string): Promise<string>;
}

type Labels = Readonly<Record<string, string>>;

const logLines = 20;

/**
 * Connects as the provider does: to a context of the kubeconfig, or to its current one.
 *
 * @param context of the kubeconfig that KUBECONFIG names, else ~/.kube/config, else the pod's own cluster.
 * @throws {Error} when there is no such context.
 */
export async function connectApi(context: string | undefined): Promise<ClusterApi> {
  // Loaded when first needed: a preview asks nothing, and this package is big.
  const { ApiException, AppsV1Api, BatchV1Api, CoreV1Api } = await import("@kubernetes/client-node");
  const config = await openKubeconfig(context);
  const apps = await boundedClient(config, AppsV1Api);
  const core = await boundedClient(config, CoreV1Api);
  const batch = await boundedClient(config, BatchV1Api);
  const ifThere = async <T>(answer: Promise<T>): Promise<T | undefined> => {
    try {
      return await answer;
    } catch (error) {
      if (error instanceof ApiException && error.code === 404) return undefined;
      throw error;
    }
  };
  return {
    deployment: (namespace, name) => ifThere(apps.readNamespacedDeployment({ namespace, name })),
    deployments: async (namespace, labels) =>
      (await apps.listNamespacedDeployment({ namespace, labelSelector: selector(labels) })).items,
    job: (namespace, name) => ifThere(batch.readNamespacedJob({ namespace, name })),
    replicaSets: async (namespace, labels) =>
      (await apps.listNamespacedReplicaSet({ namespace, labelSelector: selector(labels) })).items,
    pods: async (namespace, labels) =>
      (await core.listNamespacedPod({ namespace, labelSelector: selector(labels) })).items,
    log: (namespace, name, container, previous) =>
      core.readNamespacedPodLog({ namespace, name, container, previous, tailLines: logLines }),
    run: (namespace, pod, container, script) => runInPod(config, { namespace, pod, container, script }),
  };
}

function selector(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(",");
}
