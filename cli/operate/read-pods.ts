import type { PartKind } from "../../components/topology/site.ts";

/** One pod as the cluster tells it. */
export interface PodSeen {
  readonly name: string;
  /** `redis-instance-1`. */
  readonly workload: string;
  readonly kind: PartKind;
  readonly phase: string;
  readonly ready: boolean;
  readonly ip: string;
  readonly restarts: number;
  /** Why its container doesn't run; undefined: it does. */
  readonly problem: string | undefined;
}

/** One Deployment. */
export interface WorkloadSeen {
  /** `redis-instance-1`. */
  readonly name: string;
  /** Its name in the cluster: the same with the stack's prefix. */
  readonly object: string;
  readonly kind: PartKind;
}

interface KubernetesObject {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly status?: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly message?: string;
    }[];
    readonly containerStatuses?: readonly {
      readonly restartCount: number;
      readonly state?: { readonly waiting?: { readonly reason?: string; readonly message?: string } };
    }[];
  };
}

/** Reads `kubectl get pods,deployments --output json`; in the order of the parts' numbers. Pods that end are left out. */
export function readPods(json: string, namePrefix: string): { workloads: WorkloadSeen[]; pods: PodSeen[] } {
  const { items } = JSON.parse(json) as { readonly items: readonly KubernetesObject[] };
  const start = namePrefix === "" ? "" : `${namePrefix}-`;
  const kindOf = ({ metadata }: KubernetesObject): PartKind =>
    (metadata.labels?.["app.kubernetes.io/component"] ?? "") as PartKind;
  const workloadOf = ({ metadata }: KubernetesObject): string =>
    (metadata.labels?.["redis-ha/workload"] ?? "").slice(start.length);
  const workloads = items
    .filter(({ kind }) => kind === "Deployment")
    .map((item) => ({ name: workloadOf(item), object: item.metadata.name, kind: kindOf(item) }))
    .toSorted((a, b) => a.name.localeCompare(b.name));
  const pods = items
    .filter(({ kind, metadata }) => kind === "Pod" && metadata.deletionTimestamp === undefined)
    .map((item): PodSeen => {
      const { phase = "Unknown", podIP = "", conditions = [], containerStatuses = [] } = item.status ?? {};
      const waiting = containerStatuses[0]?.state?.waiting;
      const unscheduled = conditions.find(
        ({ type, status }) => type === "PodScheduled" && status === "False",
      );
      return {
        name: item.metadata.name,
        workload: workloadOf(item),
        kind: kindOf(item),
        phase,
        ready: conditions.some(({ type, status }) => type === "Ready" && status === "True"),
        ip: podIP,
        restarts: containerStatuses[0]?.restartCount ?? 0,
        problem:
          waiting?.reason ??
          (unscheduled && `it can't be scheduled: ${unscheduled.message ?? "no reason given"}`),
      };
    });
  return { workloads, pods };
}
