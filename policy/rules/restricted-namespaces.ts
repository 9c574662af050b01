import { isKind, metadataOf } from "../kubernetes-objects.ts";
import type { ResourceRule } from "../rule.ts";

/** The label makes the API server refuse pods that aren't restricted, whoever creates them. */
export const restrictedNamespaces: ResourceRule = {
  name: "restricted-namespaces",
  description: "Namespaces enforce, audit and warn of the restricted Pod Security Standard.",
  check(resource) {
    if (!isKind(resource, "Namespace")) return [];
    const { labels = {} } = metadataOf(resource);
    return ["enforce", "audit", "warn"]
      .map((mode) => `pod-security.kubernetes.io/${mode}`)
      .filter((label) => labels[label] !== "restricted")
      .map((label) => `the label ${label} must be 'restricted'`);
  },
};
