import { isKind, metadataOf, podTemplateOf, selects } from "../kubernetes-objects.ts";
import type { StackResource, StackRule } from "../rule.ts";

interface PolicySpec {
  readonly podSelector?: unknown;
  readonly policyTypes?: readonly string[];
}

/** A pod that no policy selects may be reached by everybody and reach everything. */
export const networkIsolation: StackRule = {
  name: "network-isolation",
  description: "A NetworkPolicy limits what may reach each pod, and what each pod may reach.",
  check(resources) {
    const policies = resources.filter((resource) => isKind(resource, "NetworkPolicy"));
    return resources.flatMap((resource) => {
      const template = podTemplateOf(resource);
      if (template === undefined) return [];
      const types = new Set(
        policies
          .filter((policy) => sameNamespace(policy, resource))
          .map(({ props }) => (props.spec ?? {}) as PolicySpec)
          .filter(({ podSelector }) => selects(podSelector, template.metadata?.labels ?? {}))
          .flatMap(({ policyTypes = ["Ingress"] }) => policyTypes),
      );
      return ["Ingress", "Egress"]
        .filter((type) => !types.has(type))
        .map((type) => ({ resource, message: `no NetworkPolicy of type ${type} selects its pods` }));
    });
  },
};

function sameNamespace(one: StackResource, other: StackResource): boolean {
  return metadataOf(one).namespace === metadataOf(other).namespace;
}
