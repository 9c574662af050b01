import type { JsonObject } from "../settings/object-shapes.ts";

/** Lists of these hold things with names; every other list is replaced as a whole, as Kubernetes does. */
const keysOfLists: Readonly<Record<string, string>> = {
  containers: "name",
  initContainers: "name",
  env: "name",
  volumes: "name",
  imagePullSecrets: "name",
  volumeMounts: "mountPath",
  ports: "name",
};

/**
 * A JSON merge patch (RFC 7386): objects merge, null removes, everything else replaces. Lists of named things merge by name, as in
 * Kubernetes' own strategic merge patch. What isn't patched stays as it is, also values that are only known later. Pure.
 */
export function applyPatch<T>(target: T, patch: JsonObject | undefined): T {
  return patch === undefined ? target : (merge(target, patch) as T);
}

function merge(target: unknown, patch: unknown, field = ""): unknown {
  if (Array.isArray(patch)) return mergeLists(target, patch, keysOfLists[field]);
  if (!isObject(patch)) return patch;
  const merged: Record<string, unknown> = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = merge(merged[key], value, key);
  }
  return merged;
}

function mergeLists(target: unknown, patch: readonly unknown[], key: string | undefined): unknown[] {
  const named = (list: readonly unknown[]): boolean =>
    key !== undefined && list.every((item) => isObject(item) && typeof item[key] === "string");
  if (!Array.isArray(target) || key === undefined || !named(target) || !named(patch))
    return patch.map((item) => merge(undefined, item));
  const merged = [...(target as JsonObject[])];
  for (const item of patch as readonly JsonObject[]) {
    const at = merged.findIndex((other) => other[key] === item[key]);
    if (at < 0) merged.push(merge(undefined, item) as JsonObject);
    else merged[at] = merge(merged[at], item) as JsonObject;
  }
  return merged;
}

/** A plain object: not a list, and none of Pulumi's values that are known later, which have classes of their own. */
function isObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
