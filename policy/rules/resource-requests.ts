import { containersOf, podTemplateOf } from "../kubernetes-objects.ts";
import type { ResourceRule } from "../rule.ts";

/** Without requests a node is filled until it kills; without a limit one pod takes the memory of all. */
export const resourceRequests: ResourceRule = {
  name: "resource-requests",
  description: "Containers request CPU and memory, limit memory, and don't limit CPU.",
  check(resource) {
    const template = podTemplateOf(resource);
    if (template === undefined) return [];
    return containersOf(template).flatMap(({ name = "", resources: { requests, limits } = {} }) => {
      const problems: string[] = [];
      for (const what of ["cpu", "memory"]) {
        if (requests?.[what] === undefined) problems.push(`container '${name}' must request ${what}`);
      }
      if (limits?.memory === undefined) problems.push(`container '${name}' must limit its memory`);
      // A throttled Redis or Sentinel looks dead to the others.
      if (limits?.cpu !== undefined) problems.push(`container '${name}' must not limit its CPU`);
      return problems;
    });
  },
};
