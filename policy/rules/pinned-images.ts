import { containersOf, podTemplateOf } from "../kubernetes-objects.ts";
import type { ResourceRule } from "../rule.ts";

/** A tag can be moved: two pods of one Deployment would then run different programs. */
export const pinnedImages: ResourceRule = {
  name: "pinned-images",
  description: "Images are named by digest.",
  check(resource) {
    const template = podTemplateOf(resource);
    if (template === undefined) return [];
    return containersOf(template)
      .filter(({ image = "" }) => !/@sha256:[0-9a-f]{64}$/.test(image))
      .map(({ name, image }) => `container '${name}' runs '${image}': name it by digest, …@sha256:…`);
  },
};
