import type { KubeObject } from "./kube-client.ts";
import type { Readiness } from "./readiness.ts";

/**
 * The annotation `pulumi.com/waitFor`: it takes the place of the rules for the object's kind. Every condition has to hold, and none
 * does before the controller has seen the newest generation, where the object tells that.
 *
 * @param annotation `jsonpath={.a.b}`, `jsonpath={.a.b}=value`, `condition=Type`, `condition=Type=Status`, or a JSON list of these.
 * @throws {Error} for what this stand-in doesn't know.
 */
export function waitedFor(object: KubeObject, annotation: string): Readiness {
  const { observedGeneration } = (object.status ?? {}) as { observedGeneration?: number };
  const generation = object.metadata.generation as number | undefined;
  if (observedGeneration !== undefined && generation !== undefined && observedGeneration < generation) {
    return { ready: false, reason: "not yet seen by the controller" };
  }
  const conditions = annotation.startsWith("[") ? (JSON.parse(annotation) as string[]) : [annotation];
  const missing = conditions.find((condition) => !holds(object, condition));
  return missing === undefined ? { ready: true } : { ready: false, reason: `waiting for ${missing}` };
}

function holds(object: KubeObject, condition: string): boolean {
  const path = /^jsonpath=\{((?:\.\w+)+)\}(?:=(.*))?$/.exec(condition);
  if (path !== null) {
    const [, keys = "", wanted] = path;
    let value: unknown = object;
    for (const key of keys.slice(1).split(".")) value = (value as Record<string, unknown> | undefined)?.[key];
    return wanted === undefined ? value !== undefined : String(value) === wanted;
  }
  const named = /^condition=(\w+)(?:=(\w+))?$/.exec(condition);
  if (named === null) throw new Error(`this stand-in doesn't know pulumi.com/waitFor '${condition}'`);
  const [, type, wanted = "True"] = named;
  const { conditions = [] } = (object.status ?? {}) as { conditions?: { type: string; status: string }[] };
  return conditions.some((item) => item.type === type && item.status === wanted);
}
