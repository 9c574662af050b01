import type { StackResource } from "./rule.ts";

/** Labels, annotations, texts by key. */
export type Texts = Readonly<Record<string, string>>;

/** What the rules read of a container. */
export interface Container {
  readonly name?: string;
  readonly image?: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: { readonly secretKeyRef?: unknown };
  }[];
  readonly envFrom?: readonly { readonly secretRef?: unknown }[];
  readonly ports?: readonly { readonly hostPort?: number }[];
  readonly resources?: { readonly requests?: Texts; readonly limits?: Texts };
  readonly securityContext?: SecurityContext;
  readonly volumeMounts?: readonly { readonly name?: unknown; readonly readOnly?: boolean }[];
}

/** The parts of a pod's and a container's security context. */
export interface SecurityContext {
  readonly runAsNonRoot?: boolean;
  readonly runAsUser?: number;
  readonly privileged?: boolean;
  readonly allowPrivilegeEscalation?: boolean;
  readonly readOnlyRootFilesystem?: boolean;
  readonly seccompProfile?: { readonly type?: string };
  readonly capabilities?: { readonly drop?: readonly string[]; readonly add?: readonly string[] };
}

/** What the rules read of a pod. */
export interface PodSpec {
  readonly containers?: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly hostNetwork?: boolean;
  readonly hostPID?: boolean;
  readonly hostIPC?: boolean;
  readonly automountServiceAccountToken?: boolean;
  readonly enableServiceLinks?: boolean;
  readonly securityContext?: SecurityContext;
  readonly volumes?: readonly Readonly<Record<string, unknown>>[];
}

/** The metadata of an object or pod template. */
export interface Metadata {
  readonly name?: string;
  readonly namespace?: string;
  readonly labels?: Texts;
  readonly annotations?: Texts;
}

/** A pod or the template of pods. */
export interface PodTemplate {
  readonly metadata?: Metadata;
  readonly spec?: PodSpec;
}

/** The spec of a workload with a pod template. */
interface WorkloadSpec {
  readonly replicas?: number;
  readonly template?: PodTemplate;
  readonly jobTemplate?: { readonly spec?: WorkloadSpec };
  readonly strategy?: { readonly type?: string };
}

const workloadTypes = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob"];

/** Whether a resource is a Kubernetes object of a kind: `Service` for `kubernetes:core/v1:Service`. */
export function isKind({ type }: StackResource, kind: string): boolean {
  return type.startsWith("kubernetes:") && type.endsWith(`:${kind}`);
}

export function metadataOf({ props }: StackResource): Metadata {
  return (props.metadata ?? {}) as Metadata;
}

/** The pods that a resource makes, or undefined when it makes none. */
export function podTemplateOf(resource: StackResource): PodTemplate | undefined {
  if (isKind(resource, "Pod")) return resource.props as PodTemplate;
  if (!workloadTypes.some((kind) => isKind(resource, kind))) return undefined;
  const spec = (resource.props.spec ?? {}) as WorkloadSpec;
  return spec.jobTemplate?.spec?.template ?? spec.template ?? {};
}

/** All containers of a pod, those that only initialise it too. */
export function containersOf({ spec = {} }: PodTemplate): readonly Container[] {
  return [...(spec.initContainers ?? []), ...(spec.containers ?? [])];
}

/** Number of pods and how they are replaced, for a Deployment. */
export function rolloutOf({ props }: StackResource): { replicas: number; strategy: string } {
  const { replicas = 1, strategy } = (props.spec ?? {}) as WorkloadSpec;
  return { replicas, strategy: strategy?.type ?? "RollingUpdate" };
}

/** Whether a selector of equal labels selects an object with these; an empty one selects everything. */
export function selects(selector: unknown, labels: Texts): boolean {
  const { matchLabels = {}, matchExpressions = [] } = (selector ?? {}) as {
    matchLabels?: Texts;
    matchExpressions?: readonly unknown[];
  };
  return (
    matchExpressions.length === 0 &&
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value)
  );
}
