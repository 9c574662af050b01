import type { V1ObjectMeta } from "@kubernetes/client-node";

/** Labels and annotations, each by key. */
export interface Metadata {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Whose fields the provider takes over with its next update, to remove those that the program doesn't set. */
const takenOver = /^(kubectl|before-first-apply|pulumi-kubernetes|pulumi-resource-kubernetes)/;
/** What this program sets, or an old version of it did; kubectl's own notes; what the API server sets. */
const notTheirs =
  /^(app\.kubernetes\.io|redis-ha|pulumi\.com|kubectl\.kubernetes\.io|kubernetes\.io|pv\.kubernetes\.io|volume\..*kubernetes\.io)\//;

/**
 * The labels and annotations that somebody gave an object by hand. The Kubernetes provider makes what was set with kubectl its own
 * when it updates an object (fixCSAFieldManagers in its provider/pkg/await), and what is its own and isn't declared it removes: so
 * whoever declares an object that others label, too, declares these. Those that a controller set stay without that. Pure.
 */
export function othersMetadata(metadata: V1ObjectMeta | undefined): Metadata {
  const { labels = {}, annotations = {}, managedFields = [] } = metadata ?? {};
  const owned = managedFields
    .filter(({ manager = "", subresource }) => takenOver.test(manager) && subresource === undefined)
    .map(
      ({ fieldsV1 }) => (fieldsV1 as { "f:metadata"?: Record<string, object> } | undefined)?.["f:metadata"],
    );
  const pick = (
    field: "f:labels" | "f:annotations",
    values: Record<string, string>,
  ): Record<string, string> =>
    Object.fromEntries(
      Object.entries(values).filter(
        ([key]) => !notTheirs.test(key) && owned.some((fields) => `f:${key}` in (fields?.[field] ?? {})),
      ),
    );
  return { labels: pick("f:labels", labels), annotations: pick("f:annotations", annotations) };
}
