import { isKind, metadataOf, podTemplateOf, rolloutOf, selects } from "../kubernetes-objects.ts";
import type { StackResource, StackRule } from "../rule.ts";

const kindLabel = "app.kubernetes.io/component";

/** A drain asks each budget: without one it takes all pods at once, with two over a pod it is refused, and one over all but none, too. */
export const disruptionBudgets: StackRule = {
  name: "disruption-budgets",
  description: "One PodDisruptionBudget over all pods of a kind lets a drain take exactly one at a time.",
  check(resources) {
    const budgets = resources.filter((resource) => isKind(resource, "PodDisruptionBudget"));
    const kinds = Map.groupBy(
      resources.filter((resource) => isKind(resource, "Deployment")),
      (resource) => `${metadataOf(resource).namespace}/${labelsOf(resource)[kindLabel]}`,
    );
    return [...kinds.values()].flatMap((deployments) => {
      const pods = deployments.reduce((sum, deployment) => sum + rolloutOf(deployment).replicas, 0);
      return deployments.flatMap((resource) => {
        const found = budgets.filter(
          (budget) =>
            metadataOf(budget).namespace === metadataOf(resource).namespace &&
            selects((budget.props.spec as { selector?: unknown } | undefined)?.selector, labelsOf(resource)),
        );
        const message = problemOf(found, pods);
        return message === undefined ? [] : [{ resource, message }];
      });
    });
  },
};

function problemOf(budgets: readonly StackResource[], pods: number): string | undefined {
  const [budget, ...more] = budgets;
  if (more.length > 0) return `${budgets.length} PodDisruptionBudgets select its pods: one is allowed`;
  if (budget === undefined) {
    return pods === 1 ? undefined : `no PodDisruptionBudget selects the ${pods} pods of its kind`;
  }
  const { minAvailable, maxUnavailable } = (budget.props.spec ?? {}) as Readonly<Record<string, unknown>>;
  if (minAvailable === pods - 1 || (minAvailable === undefined && maxUnavailable === 1)) return undefined;
  return `its PodDisruptionBudget '${metadataOf(budget).name}' must let exactly one of ${pods} pods go: minAvailable ${pods - 1}`;
}

function labelsOf(resource: StackResource): Readonly<Record<string, string>> {
  return podTemplateOf(resource)?.metadata?.labels ?? {};
}
