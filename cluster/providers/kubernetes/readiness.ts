import type { Properties } from "../provider-program.ts";
import type { KubeObject } from "./kube-client.ts";

/** Whether an object is ready, and if not, why. */
export type Readiness = { readonly ready: true } | { readonly ready: false; readonly reason: string };

const ready: Readiness = { ready: true };

/**
 * The genuine provider's rules of what "created" means: a Deployment is rolled out, a claim bound, a selecting Service has
 * endpoints, a load balancer an address. Everything else is ready when it exists.
 *
 * @param endpoints whether the Service has at least one ready endpoint; only asked for Services.
 */
export function readinessOf(object: KubeObject, endpoints: boolean): Readiness {
  const status = (object.status ?? {}) as Properties;
  const spec = (object.spec ?? {}) as Properties;
  switch (object.kind) {
    case "Deployment":
      return deploymentReadiness(object, spec, status);
    case "PersistentVolumeClaim":
      return status.phase === "Bound" ? ready : { ready: false, reason: `the claim is ${status.phase}` };
    case "Service":
      return serviceReadiness(spec, status, endpoints);
    default:
      return ready;
  }
}

function deploymentReadiness(object: KubeObject, spec: Properties, status: Properties): Readiness {
  const wanted = Number(spec.replicas ?? 1);
  const generation = Number(object.metadata.generation ?? 0);
  const count = (name: string): number => Number(status[name] ?? 0);
  if (count("observedGeneration") < generation)
    return { ready: false, reason: "not yet seen by the controller" };
  const conditions = (status.conditions ?? []) as {
    type: string;
    status: string;
    reason?: string;
    message?: string;
  }[];
  const progressing = conditions.find(({ type }) => type === "Progressing");
  const done =
    count("updatedReplicas") >= wanted && count("replicas") <= wanted && count("availableReplicas") >= wanted;
  if (done && (progressing === undefined || progressing.status === "True")) return ready;
  return {
    ready: false,
    reason: `${count("updatedReplicas")} of ${wanted} pods updated, ${count("availableReplicas")} available${progressing?.status === "False" ? ` (${progressing.message})` : ""}`,
  };
}

function serviceReadiness(spec: Properties, status: Properties, endpoints: boolean): Readiness {
  if (spec.type === "LoadBalancer") {
    const ingress = ((status.loadBalancer ?? {}) as { ingress?: unknown[] }).ingress ?? [];
    if (ingress.length === 0) return { ready: false, reason: "no load balancer address yet" };
  }
  // A headless Service, and one whose endpoints somebody else writes, are not waited for.
  const waits = spec.clusterIP !== "None" && spec.selector !== undefined && spec.selector !== null;
  return !waits || endpoints ? ready : { ready: false, reason: "no pod is a ready endpoint" };
}

/** What is wrong with the pods of a workload, for the error of a time-out. */
export function podProblems(pods: readonly KubeObject[]): string[] {
  return pods.flatMap(({ metadata, status }) => {
    const { containerStatuses = [], conditions = [] } = (status ?? {}) as {
      containerStatuses?: {
        state?: { waiting?: { reason?: string; message?: string } };
        restartCount?: number;
      }[];
      conditions?: { type: string; status: string; message?: string }[];
    };
    const waiting = containerStatuses.flatMap(({ state }) =>
      state?.waiting === undefined ? [] : [state.waiting],
    );
    const unscheduled = conditions.filter(
      ({ type, status: value }) => type === "PodScheduled" && value === "False",
    );
    return [
      ...waiting.map(
        ({ reason, message }) =>
          `pod ${metadata.name}: ${reason}${message === undefined ? "" : `: ${message}`}`,
      ),
      ...unscheduled.map(({ message }) => `pod ${metadata.name}: ${message}`),
      ...conditions
        .filter(({ type, status: value }) => type === "Ready" && value === "False" && waiting.length === 0)
        .map(({ message }) => `pod ${metadata.name} is not ready: ${message}`),
    ];
  });
}
