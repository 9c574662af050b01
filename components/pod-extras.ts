import type * as k8s from "@pulumi/kubernetes";
import type { Settings } from "../settings/resolve-settings.ts";
import { restrictedContainer } from "./restricted.ts";

/** What settings add to the pods of one part. */
export type PodExtras = Pick<
  Settings["redis"],
  | "cpu"
  | "memoryRequest"
  | "nodeSelector"
  | "tolerations"
  | "affinity"
  | "podAnnotations"
  | "podLabels"
  | "extraEnv"
  | "extraVolumes"
  | "extraMounts"
  | "sidecars"
  | "initContainers"
> & { readonly cpuLimit?: string | undefined };

type Affinity = k8s.types.input.core.v1.Affinity;
type Container = k8s.types.input.core.v1.Container;

/** The affinity that a setting gives, with the rule that keeps a kind's pods apart. Both hold. */
export function mergedAffinity(own: Affinity, given: PodExtras["affinity"]): Affinity {
  if (given === undefined) return own;
  const merged: Record<string, Record<string, unknown>> = {
    ...(given as Record<string, Record<string, unknown>>),
  };
  for (const [kind, rules] of Object.entries(own as Record<string, Record<string, readonly unknown[]>>)) {
    const all: Record<string, unknown> = { ...merged[kind] };
    for (const [when, terms] of Object.entries(rules)) {
      const more = all[when];
      all[when] = Array.isArray(more) ? [...terms, ...more] : terms;
    }
    merged[kind] = all;
  }
  return merged as Affinity;
}

/** The containers of a pod: the part's own first. */
export function withExtraContainers(
  own: Container,
  extras: PodExtras,
): Pick<k8s.types.input.core.v1.PodSpec, "containers" | "initContainers"> {
  const { extraEnv = [], extraMounts = [], sidecars = [], initContainers = [] } = extras;
  const container = {
    ...own,
    ...(extraEnv.length === 0 ? {} : { env: [...(own.env as object[]), ...extraEnv] }),
    ...(extraMounts.length === 0
      ? {}
      : { volumeMounts: [...(own.volumeMounts as object[]), ...extraMounts] }),
  } as Container;
  return {
    containers: [container, ...sidecars.map(restricted)],
    ...(initContainers.length === 0 ? {} : { initContainers: initContainers.map(restricted) }),
  };
}

/** What a container says itself wins: the rules of policy/ judge the outcome. */
function restricted(given: NonNullable<PodExtras["sidecars"]>[number]): Container {
  return { ...given, securityContext: { ...restrictedContainer, ...given.securityContext } } as Container;
}

/** Requests and limits of the part's own container. */
export function resourcesOf(
  memory: string,
  { cpu, memoryRequest = memory, cpuLimit }: PodExtras,
): Container["resources"] {
  return {
    requests: { cpu, memory: memoryRequest },
    // No CPU limit unless somebody wants one of a proxy: a throttled Redis or Sentinel looks dead to the others.
    limits: { memory, ...(cpuLimit === undefined ? {} : { cpu: cpuLimit }) },
  };
}

/** Where pods may run, for those that come and go, too. */
export function placement({ nodeSelector, tolerations = [] }: PodExtras): {
  nodeSelector?: Readonly<Record<string, string>>;
  tolerations?: k8s.types.input.core.v1.Toleration[];
} {
  return {
    ...(nodeSelector === undefined ? {} : { nodeSelector }),
    ...(tolerations.length === 0 ? {} : { tolerations: tolerations as k8s.types.input.core.v1.Toleration[] }),
  };
}
