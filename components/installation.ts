import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { installationMark, stackMark } from "./ownership/marks.ts";

/** One installation of the stack: what it is called, and the number by which it knows its own again. */
export interface Installation {
  /** `organization/project/stack`. */
  readonly stack: string;
  /** The number, when the state has it; undefined in the preview of a stack that is new. */
  readonly number: string | undefined;
  /** Annotations of what outlives a `pulumi destroy`. */
  readonly marks: Readonly<Record<string, pulumi.Input<string>>>;
}

/** Takes the installation's number from the state, or makes one. */
export async function identifyInstallation(
  stack: string,
  resource: string,
  opts: pulumi.CustomResourceOptions,
): Promise<Installation> {
  const name = `${pulumi.getOrganization()}/${pulumi.getProject()}/${stack}`;
  const { result } = new random.RandomUuid(resource, {}, opts);
  return {
    stack: name,
    number: await knownValue(result),
    marks: { [stackMark]: name, [installationMark]: result },
  };
}

/** The value of an output, or undefined where nobody knows it yet. The SDK has it, but doesn't declare how to ask. */
async function knownValue<T>(output: pulumi.Output<T>): Promise<T | undefined> {
  const { isKnown } = output as unknown as { readonly isKnown: Promise<boolean> };
  if (!(await isKnown)) return undefined;
  return new Promise((resolve) => {
    output.apply((value) => resolve(value as T));
  });
}
