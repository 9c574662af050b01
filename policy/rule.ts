/** A resource of a stack, with its inputs or outputs as plain values. */
export interface StackResource {
  /** `kubernetes:apps/v1:Deployment`. */
  readonly type: string;
  /** Its name in the program. */
  readonly name: string;
  // Pulumi's own word for it. Whatever a rule reads, it reads defensively: another program may have written it.
  readonly props: Readonly<Record<string, unknown>>;
}

/** A rule about one resource alone. It is checked before the resource is created or changed. */
export interface ResourceRule {
  readonly name: string;
  /** What the rule asks for, as a sentence. */
  readonly description: string;
  /** What is wrong with the resource; nothing for resources that the rule isn't about. */
  check(resource: StackResource): string[];
}

/** A rule about resources together. It is checked when all of them are known. */
export interface StackRule {
  readonly name: string;
  readonly description: string;
  check(
    resources: readonly StackResource[],
  ): { readonly resource: StackResource; readonly message: string }[];
}
