import { createHash } from "node:crypto";

/** What Kubernetes takes as the value of a label: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/ */
const labelValue = /^[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?$/;
const prefix = "redis-ha-";
const longest = 63;

/**
 * The name of a stack as the value of a label. Pulumi allows 100 letters, digits, dots, dashes and underscores in any order, a
 * label 63 that begin and end with a letter or digit: a name that is no such value is cut, and told apart by its hash.
 */
export function stackLabel(stack: string): string {
  if (labelValue.test(stack)) return stack;
  const hash = createHash("sha256").update(stack).digest("hex").slice(0, 8);
  const begin = stack
    .replace(/[^\w.-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "")
    .slice(0, longest - prefix.length - hash.length - 1)
    .replace(/[^A-Za-z0-9]+$/, "");
  return begin === "" ? hash : `${begin}-${hash}`;
}

/**
 * The default name of the namespace and of the Sentinels' master: `redis-ha-<stack>` in lower case, dashes for everything that
 * a namespace can't be called. `Dev` and `dev` give the same: whoever comes second is refused, since the namespace carries
 * the mark of the first.
 */
export function defaultName(stack: string): string {
  return `${prefix}${stackLabel(stack)}`
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .slice(0, longest)
    .replace(/-+$/, "");
}
