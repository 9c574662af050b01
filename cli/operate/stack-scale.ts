import type { PartKind } from "../../components/topology/site.ts";
import type { Kubectl } from "./kubectl.ts";

/** How many pods one Deployment has and wants. */
export interface WorkloadScale {
  /** Its name in the cluster. */
  readonly object: string;
  readonly kind: PartKind;
  readonly wanted: number;
  readonly pods: number;
  readonly ready: number;
  /** What it wanted before it was put to sleep. */
  readonly awake: number;
}

/** Where that is kept: whoever wakes it needn't know the stack's settings. */
const annotation = "redis-ha/awake-replicas";

interface KubernetesObject {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: { readonly replicas?: number };
  readonly status?: { readonly readyReplicas?: number };
}

/** The number of pods of each workload of a deployed stack. It needs `get` and `patch` of Deployments and of `deployments/scale`. */
export class StackScale {
  readonly #kubectl: Kubectl;
  readonly #label: string;

  /** @param label that all Deployments of the stack have. */
  constructor(kubectl: Kubectl, label: string) {
    this.#kubectl = kubectl;
    this.#label = label;
  }

  get namespace(): string {
    return this.#kubectl.namespace;
  }

  async list(): Promise<WorkloadScale[]> {
    const args = ["get", "deployments,pods", "--selector", this.#label, "--output", "json"];
    return readScales(await this.#kubectl.run(args));
  }

  /** @param names of Deployments, which are left with no pod. */
  async sleep(names: readonly string[]): Promise<void> {
    const all = await this.list();
    for (const { object, wanted } of all.filter((one) => names.includes(one.object))) {
      await this.#kubectl.run(["annotate", "--overwrite", "deployment", object, `${annotation}=${wanted}`]);
      await this.#kubectl.run(["scale", "deployment", object, "--replicas=0"]);
    }
  }

  /** Gives each as many pods as it had. */
  async wake(some: readonly WorkloadScale[]): Promise<void> {
    for (const { object, awake } of some) {
      await this.#kubectl.run(["scale", "deployment", object, `--replicas=${awake}`]);
      await this.#kubectl.run(["annotate", "deployment", object, `${annotation}-`]);
    }
  }
}

/**
 * Reads `kubectl get deployments,pods --output json`. A pod that ends still counts, which a Deployment's own number leaves out. One that was scaled to
 * zero by something else wants one pod.
 */
export function readScales(json: string): WorkloadScale[] {
  const { items } = JSON.parse(json) as { readonly items: readonly KubernetesObject[] };
  const workloadOf = ({ metadata }: KubernetesObject): string | undefined =>
    metadata.labels?.["redis-ha/workload"];
  const deployments = items.filter(({ kind }) => kind === "Deployment");
  const pods = items.filter(({ kind }) => kind === "Pod").map(workloadOf);
  return deployments.map((deployment) => {
    const { metadata, spec, status = {} } = deployment;
    return {
      object: metadata.name,
      kind: (metadata.labels?.["app.kubernetes.io/component"] ?? "") as PartKind,
      wanted: spec?.replicas ?? 1,
      pods: pods.filter((workload) => workload === workloadOf(deployment)).length,
      ready: status.readyReplicas ?? 0,
      awake: Number(metadata.annotations?.[annotation] ?? 1) || 1,
    };
  });
}
