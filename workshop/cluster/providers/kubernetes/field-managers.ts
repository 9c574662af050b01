import { randomBytes } from "node:crypto";
import type { Properties } from "../provider-program.ts";
import type { KubeObject } from "./kube-client.ts";

/** Where a resource's state keeps the name of its field manager. */
export const fieldManagerKey = "__fieldManager";

interface ManagedFields {
  readonly manager: string;
  readonly operation: string;
  readonly subresource?: string;
  readonly fieldsV1?: Properties;
  readonly [field: string]: unknown;
}

/** A new resource gets a manager of its own: what an earlier resource of the same object owned stays that one's. */
export function fieldManagerOf(state: Properties, annotations: Readonly<Record<string, string>>): string {
  const given = annotations["pulumi.com/patchFieldManager"];
  if (given) return given;
  return String(state[fieldManagerKey] ?? `pulumi-kubernetes-${randomBytes(4).toString("hex")}`);
}

/** Whether an apply takes fields that somebody else owns; otherwise the API server refuses to change them. */
export function appliesByForce(
  annotations: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  if (annotations["pulumi.com/patchForce"] === "true") return true;
  return environment.PULUMI_K8S_ENABLE_PATCH_FORCE === "true";
}

/** Whose fields an update takes over silently, and then removes unless the program sets them: kubectl's, in whatever way. */
const takenOver: readonly (readonly [prefix: string, operation: string])[] = [
  ["kubectl", "Apply"],
  ["kubectl", "Update"],
  ["before-first-apply", "Update"],
  ["pulumi-kubernetes", "Update"],
  ["pulumi-resource-kubernetes", "Update"],
];

/** The managed fields after that; undefined where nothing changes. */
export function takeOverFields(object: KubeObject, manager: string): ManagedFields[] | undefined {
  const entries = (object.metadata.managedFields ?? []) as ManagedFields[];
  let own = entries.find((entry) => entry.manager === manager && entry.operation === "Apply");
  const previous = own;
  const kept: ManagedFields[] = [];
  for (const entry of entries.filter((item) => item !== previous)) {
    const taken =
      entry.subresource === undefined &&
      takenOver.some(
        ([prefix, operation]) => entry.manager.startsWith(prefix) && entry.operation === operation,
      );
    if (!taken) kept.push(entry);
    else if (own === undefined) own = { ...entry, manager, operation: "Apply" };
    else own = { ...own, fieldsV1: union(own.fieldsV1 ?? {}, entry.fieldsV1 ?? {}) };
  }
  return own === previous || own === undefined ? undefined : [...kept, own];
}

function union(one: Properties, other: Properties): Properties {
  const merged = { ...one };
  for (const [key, value] of Object.entries(other)) {
    merged[key] = union((one[key] ?? {}) as Properties, value as Properties);
  }
  return merged;
}
