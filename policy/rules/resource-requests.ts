import { containersOf, podTemplateOf } from "../kubernetes-objects.ts";
import type { ResourceRule } from "../rule.ts";

const unthrottled = new Set(["redis", "sentinel"]);

/** Without requests a node is filled until it kills; without a limit one pod takes the memory of all. */
export const resourceRequests: ResourceRule = {
  name: "resource-requests",
  description:
    "Containers request CPU and memory and limit memory; Redis and Sentinel don't limit CPU: one that is throttled looks dead to the others.",
  check(resource) {
    const template = podTemplateOf(resource);
    if (template === undefined) return [];
    return containersOf(template).flatMap(({ name = "", resources: { requests, limits } = {} }) => {
      const problems: string[] = [];
      for (const what of ["cpu", "memory"]) {
        if (requests?.[what] === undefined) problems.push(`container '${name}' must request ${what}`);
      }
      if (limits?.memory === undefined) problems.push(`container '${name}' must limit its memory`);
      if (limits?.cpu !== undefined && unthrottled.has(name))
        problems.push(`container '${name}' must not limit its CPU`);
      return problems;
    });
  },
};
