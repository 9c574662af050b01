import { randomBytes } from "node:crypto";
import type { Properties, ResourceName } from "../provider-program.ts";
import type { KubeObject } from "./kube-client.ts";

/** Marks a name that the provider made up. The genuine one keeps the same annotation. */
export const autonamed = "pulumi.com/autonamed";

/** `kubernetes:apps/v1:Deployment` → `apps/v1`, `Deployment`; the core group has no name of its own. */
export function kindOf({ type }: ResourceName): { apiVersion: string; kind: string } {
  const [, version = "", kind = ""] = type.split(":");
  return { apiVersion: version.startsWith("core/") ? version.slice("core/".length) : version, kind };
}

/** Completes an object: kind, namespace, and a name with a random end where none is given. An old random name is kept. */
export function completeObject(
  resource: ResourceName,
  news: Properties,
  olds: Properties,
  defaultNamespace: string,
): KubeObject {
  const { apiVersion, kind } = kindOf(resource);
  const metadata = { ...(news.metadata as Properties | undefined) };
  const oldMetadata = (olds.metadata ?? {}) as Properties;
  const oldAnnotations = (oldMetadata.annotations ?? {}) as Properties;
  if (metadata.name === undefined) {
    const keep = oldAnnotations[autonamed] === "true" ? oldMetadata.name : undefined;
    metadata.name = keep ?? `${resource.name}-${randomBytes(4).toString("hex")}`;
    metadata.annotations = { ...(metadata.annotations as Properties | undefined), [autonamed]: "true" };
  }
  if (metadata.namespace === undefined && !clusterScoped.has(kind)) metadata.namespace = defaultNamespace;
  return { ...news, apiVersion, kind, metadata };
}

const clusterScoped: ReadonlySet<string> = new Set([
  "ClusterRole",
  "ClusterRoleBinding",
  "CustomResourceDefinition",
  "Namespace",
  "PersistentVolume",
  "PriorityClass",
  "StorageClass",
]);
