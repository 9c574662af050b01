import { stackLabel } from "../settings/stack-name.ts";
import type { PartKind } from "../topology/site.ts";
import type { Workload } from "../topology/workload.ts";

const name = { "app.kubernetes.io/name": "redis-ha" } as const;

/** Labels of every object of a stack. Selectors never use these alone, so they may change. */
export function commonLabels(stack: string): Record<string, string> {
  return {
    ...name,
    "app.kubernetes.io/instance": stackLabel(stack),
    "app.kubernetes.io/managed-by": "pulumi",
  };
}

/** Selects all pods of the stack in its namespace. */
export function stackPods(): Record<string, string> {
  return { ...name };
}

/** Selects all pods of one kind: for the Service of all Sentinels, disruption budgets and spreading. */
export function kindSelector(kind: PartKind): Record<string, string> {
  return { ...name, "app.kubernetes.io/component": kind };
}

/** Selects the pods of one workload. A Deployment's selector can't change: neither can these two. */
export function workloadSelector(workload: Workload): Record<string, string> {
  return { ...name, "redis-ha/workload": workload.name };
}

/** Labels of a workload's own objects and pods. */
export function workloadLabels(workload: Workload, stack: string): Record<string, string> {
  return { ...commonLabels(stack), ...kindSelector(workload.part.kind), ...workloadSelector(workload) };
}
