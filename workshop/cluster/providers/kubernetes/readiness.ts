import type { Properties } from "../provider-program.ts";
import type { KubeObject } from "./kube-client.ts";

/** Whether an object is ready, and if not, why. */
export type Readiness = { readonly ready: true } | { readonly ready: false; readonly reason: string };

const ready: Readiness = { ready: true };
const revision = "deployment.kubernetes.io/revision";

/** What is around a Deployment. */
export interface DeploymentSurroundings {
  /** ReplicaSets of the namespace; those of other Deployments don't count. */
  readonly replicaSets: readonly KubeObject[];
  /** Claims of the namespace; only those that the pod template names count. */
  readonly claims: readonly KubeObject[];
}

/**
 * The genuine provider's rule, with its gap: it looks at the ReplicaSet of the revision that the Deployment has *now*. A
 * Deployment with strategy `Recreate` gets its new revision when the old pods are gone. Until then the answer to the update
 * itself satisfies the rule: old revision, old ReplicaSet ready, old conditions. So such an update is not waited for.
 *
 * The first revision needs no `Progressing` condition.
 */
export function deploymentReadiness(
  deployment: KubeObject,
  { replicaSets, claims }: DeploymentSurroundings,
): Readiness {
  const current = annotationOf(deployment, revision);
  if (current === undefined) return waiting("the controller has made no ReplicaSet yet");
  const conditions = ((deployment.status ?? {}) as { conditions?: Condition[] }).conditions ?? [];
  const available = conditions.find(({ type }) => type === "Available");
  const progressing = conditions.find(({ type }) => type === "Progressing");
  const replicaSet = replicaSets.find(
    (item) => ownedBy(item, deployment) && annotationOf(item, revision) === current,
  );
  const wanted = Number(((replicaSet?.spec ?? {}) as Properties).replicas ?? 1);
  const readyReplicas = Number(((replicaSet?.status ?? {}) as Properties).readyReplicas ?? 0);
  const pods = `${readyReplicas} of ${wanted} pods of revision ${current} are ready`;
  if (replicaSet === undefined || readyReplicas < wanted) {
    return waiting(progressing?.status === "False" ? `${pods} (${progressing.message})` : pods);
  }
  if (available?.status !== "True") return waiting(available?.message ?? "not available");
  const rolledOut = progressing?.status === "True" && progressing.reason === "NewReplicaSetAvailable";
  if (current !== "1" && !rolledOut) return waiting(progressing?.message ?? "no progress yet");
  const unbound = claims.find(
    (claim) =>
      claimsOf(deployment).includes(String(claim.metadata.name)) && (phaseOf(claim) ?? "Bound") !== "Bound",
  );
  return unbound === undefined ? ready : waiting(`the claim ${unbound.metadata.name} is ${phaseOf(unbound)}`);
}

/** What is known of a Service's endpoints. */
export interface EndpointsState {
  /** Some pod that the Service selects isn't ready. */
  readonly pending: boolean;
  /** Ten seconds have passed since a change of the Endpoints object. */
  readonly settled: boolean;
}

/**
 * A Service needs no ready pod: it is done when its endpoints, even none, have not changed for a while and none of them waits.
 * One that is headless or selects nothing is done at once, a load balancer when it has an address.
 */
export function serviceReadiness(service: KubeObject, { pending, settled }: EndpointsState): Readiness {
  const spec = (service.spec ?? {}) as { type?: string; clusterIP?: string; selector?: object };
  if (spec.type === "LoadBalancer") {
    const { loadBalancer } = (service.status ?? {}) as { loadBalancer?: { ingress?: unknown[] } };
    if ((loadBalancer?.ingress ?? []).length === 0) return waiting("no load balancer address yet");
  }
  const selects = Object.keys(spec.selector ?? {}).length > 0;
  if (!selects || spec.clusterIP === "None" || spec.type === "ExternalName") return ready;
  if (pending) return waiting("a pod that it selects is not ready");
  return settled ? ready : waiting("its endpoints have changed within the last 10 s");
}

/**
 * A claim is waited for until it is bound. Of a class that binds when a pod comes, until it is pending: such a claim that is
 * bound already, as after `pulumi destroy` and `pulumi up`, never satisfies that.
 *
 * @param bindingMode `volumeBindingMode` of the claim's StorageClass.
 */
export function claimReadiness(claim: KubeObject, bindingMode: string | undefined): Readiness {
  const wanted = bindingMode === "WaitForFirstConsumer" ? "Pending" : "Bound";
  return phaseOf(claim) === wanted ? ready : waiting(`the claim is ${phaseOf(claim)}, waiting for ${wanted}`);
}

/** What is wrong with the pods of a workload, for the error of a time-out. */
export function podProblems(pods: readonly KubeObject[]): string[] {
  return pods.flatMap(({ metadata, status }) => {
    const { containerStatuses = [], conditions = [] } = (status ?? {}) as {
      containerStatuses?: { state?: { waiting?: { reason?: string; message?: string } } }[];
      conditions?: Condition[];
    };
    const waitingContainers = containerStatuses.flatMap(({ state }) =>
      state?.waiting === undefined ? [] : [state.waiting],
    );
    const unscheduled = conditions.filter(
      ({ type, status: value }) => type === "PodScheduled" && value === "False",
    );
    return [
      ...waitingContainers.map(
        ({ reason, message }) =>
          `pod ${metadata.name}: ${reason}${message === undefined ? "" : `: ${message}`}`,
      ),
      ...unscheduled.map(({ message }) => `pod ${metadata.name}: ${message}`),
      ...conditions
        .filter(
          ({ type, status: value }) =>
            type === "Ready" && value === "False" && waitingContainers.length === 0,
        )
        .map(({ message }) => `pod ${metadata.name} is not ready: ${message}`),
    ];
  });
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

function waiting(reason: string): Readiness {
  return { ready: false, reason };
}

function annotationOf({ metadata }: KubeObject, name: string): string | undefined {
  return ((metadata.annotations ?? {}) as Record<string, string>)[name];
}

function ownedBy(object: KubeObject, owner: KubeObject): boolean {
  const owners = (object.metadata.ownerReferences ?? []) as { uid?: string }[];
  return owners.some(({ uid }) => uid !== undefined && uid === owner.metadata.uid);
}

function claimsOf({ spec }: KubeObject): string[] {
  const { template } = (spec ?? {}) as {
    template?: { spec?: { volumes?: { persistentVolumeClaim?: { claimName: string } }[] } };
  };
  return (template?.spec?.volumes ?? []).flatMap(({ persistentVolumeClaim }) =>
    persistentVolumeClaim === undefined ? [] : [persistentVolumeClaim.claimName],
  );
}

function phaseOf({ status }: KubeObject): string | undefined {
  return ((status ?? {}) as { phase?: string }).phase;
}
