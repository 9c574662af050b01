import { isKind, type Texts } from "../kubernetes-objects.ts";
import type { StackResource, StackRule } from "../rule.ts";

/** Shorter ones, such as a user's name, may stand anywhere by chance. */
const shortest = 12;

/** Whatever a Secret holds or a generator made is looked for in all other objects, as it is and in base64. */
export const secretsInSecrets: StackRule = {
  name: "secrets-in-secrets",
  description: "What is in a Secret is in no other object of the cluster.",
  check(resources) {
    const secrets = [...new Set(resources.flatMap(secretsOf))].filter((text) => text.length >= shortest);
    const forms = secrets.flatMap((text) => [text, Buffer.from(text).toString("base64")]);
    return resources
      .filter((resource) => resource.type.startsWith("kubernetes:") && !isKind(resource, "Secret"))
      .filter(({ props }) => {
        const strings = stringsIn(props);
        return forms.some((form) => strings.some((text) => text.includes(form)));
      })
      .map((resource) => ({
        resource,
        message: "contains what a Secret holds: refer to the Secret instead",
      }));
  },
};

function secretsOf(resource: StackResource): string[] {
  const { props, type } = resource;
  if (type === "random:index/randomPassword:RandomPassword") return stringsIn(props.result);
  if (!isKind(resource, "Secret")) return [];
  const encoded = Object.values((props.data ?? {}) as Texts);
  return [
    ...Object.values((props.stringData ?? {}) as Texts),
    ...encoded
      .filter((value) => typeof value === "string")
      .map((value) => Buffer.from(value, "base64").toString()),
  ].map((text) => String(text).trim());
}

function stringsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(stringsIn);
}
