/** What an object says about whose it is: its labels and annotations. */
export interface Marks {
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** Annotation that names the stack: `organization/project/stack`. Somebody who sets it hands the object over to that stack. */
export const stackMark = "redis-ha/stack";
/** Annotation with the number of one installation, which stands in one state: two people's stacks may have the same name. */
export const installationMark = "redis-ha/installation";

/** The stack that asks whether something is its own. */
export interface Claimant {
  /** `organization/project/stack`. */
  readonly stack: string;
  /** The stack's name as the objects' label `app.kubernetes.io/instance` has it. */
  readonly label: string;
  /** The number in the stack's state; undefined in the preview of a stack that has no state yet. */
  readonly installation: string | undefined;
}

/**
 * - `proven`: the object was marked by this very state.
 * - `namesake`: by a stack of this name, with this state, one that is lost, or another one.
 * - `foreign`: by another stack.
 * - `unmarked`: by nobody.
 */
export type Ownership =
  | { readonly kind: "proven" | "unmarked" }
  | {
      readonly kind: "namesake";
      /** It is told that another state made it. */
      readonly otherState: boolean;
    }
  | { readonly kind: "foreign"; readonly stack: string };

/** Whose an object is. The number decides before the name, since a stack can be renamed. */
export function ownershipOf({ labels = {}, annotations = {} }: Marks, who: Claimant): Ownership {
  const { [stackMark]: stack, [installationMark]: installation } = annotations;
  if (installation !== undefined && installation === who.installation) return { kind: "proven" };
  if (stack !== undefined) {
    return stack === who.stack
      ? { kind: "namesake", otherState: installation !== undefined }
      : { kind: "foreign", stack };
  }
  // Until November 2026 labels were the only marks.
  const { "app.kubernetes.io/name": name, "app.kubernetes.io/instance": instance } = labels;
  if (name !== "redis-ha" || instance === undefined) return { kind: "unmarked" };
  return instance === who.label
    ? { kind: "namesake", otherState: false }
    : { kind: "foreign", stack: instance };
}
