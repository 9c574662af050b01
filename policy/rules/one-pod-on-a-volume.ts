import { isKind, podTemplateOf, rolloutOf } from "../kubernetes-objects.ts";
import type { ResourceRule } from "../rule.ts";

/** ReadWriteOnce lets two pods of one node share a volume: two servers on one set of files. */
export const onePodOnAVolume: ResourceRule = {
  name: "one-pod-on-a-volume",
  description: "A Deployment that writes to a volume claim has one pod, and its strategy is Recreate.",
  check(resource) {
    if (!isKind(resource, "Deployment")) return [];
    const volumes = podTemplateOf(resource)?.spec?.volumes ?? [];
    const written = (volume: Readonly<Record<string, unknown>>): boolean =>
      volume.persistentVolumeClaim !== undefined &&
      (volume.persistentVolumeClaim as { readOnly?: boolean }).readOnly !== true;
    if (!volumes.some(written)) return [];
    const { replicas, strategy } = rolloutOf(resource);
    return [
      ...(replicas > 1 ? [`${replicas} pods would share one volume: replicas must be 1`] : []),
      ...(strategy === "Recreate" ? [] : [`the strategy is ${strategy}: it must be Recreate`]),
    ];
  },
};
