import type {
  V1ContainerStatus,
  V1Deployment,
  V1DeploymentStatus,
  V1Pod,
  V1PodCondition,
  V1ReplicaSet,
} from "@kubernetes/client-node";

const labels = { "redis-ha/workload": "redis-instance-3" };

function template(image: string, hash: object = {}) {
  return {
    metadata: { labels: { ...labels, ...hash } },
    spec: { containers: [{ name: "redis", image }] },
  };
}

/** The Deployment `space/redis-instance-3` of an image, in its second generation, which the controller has seen. */
export function deploymentOf(image: string, status: V1DeploymentStatus): V1Deployment {
  return {
    metadata: { namespace: "space", name: "redis-instance-3", uid: "deployment-uid", generation: 2, labels },
    spec: { replicas: 1, selector: { matchLabels: labels }, template: template(image) },
    status: { observedGeneration: 2, ...status },
  };
}

/** Its ReplicaSet of an image. */
export function replicaSetOf(image: string, owner = "deployment-uid"): V1ReplicaSet {
  const hash = { "pod-template-hash": `hash-${image}` };
  return {
    metadata: {
      labels: { ...labels, ...hash },
      ownerReferences: [{ apiVersion: "apps/v1", kind: "Deployment", name: "redis-instance-3", uid: owner }],
    },
    spec: { selector: { matchLabels: labels }, template: template(image, hash) },
  };
}

/** Its pod of an image. */
export function podOf(
  image: string,
  {
    leaving = false,
    conditions = [],
    ...container
  }: Partial<V1ContainerStatus> & { readonly leaving?: boolean; readonly conditions?: V1PodCondition[] },
): V1Pod {
  return {
    metadata: {
      name: `redis-instance-3-${image}`,
      uid: `uid-${image}`,
      labels: { ...labels, "pod-template-hash": `hash-${image}` },
      ...(leaving ? { deletionTimestamp: new Date(0) } : {}),
    },
    status: {
      conditions,
      containerStatuses: [{ name: "redis", image, imageID: "", ready: false, restartCount: 0, ...container }],
    },
  };
}
