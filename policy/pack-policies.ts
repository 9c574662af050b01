import type { Policies } from "@pulumi/policy";
import { resourceRules, stackRules } from "./all-rules.ts";

/** The rules in the form in which Pulumi's engine asks for them. */
export function packPolicies(): Policies {
  return [
    ...resourceRules.map((rule) => ({
      name: rule.name,
      description: rule.description,
      validateResource: ({ type, name, props }: ResourceArgs, report: (message: string) => void): void => {
        for (const message of rule.check({ type, name, props })) report(message);
      },
    })),
    ...stackRules.map((rule) => ({
      name: rule.name,
      description: rule.description,
      validateStack: (
        { resources }: { resources: readonly (ResourceArgs & { urn: string })[] },
        report: (message: string, urn?: string) => void,
      ): void => {
        for (const { resource, message } of rule.check(resources)) {
          report(message, resources.find((item) => item === resource)?.urn);
        }
      },
    })),
  ];
}

interface ResourceArgs {
  readonly type: string;
  readonly name: string;
  readonly props: Readonly<Record<string, unknown>>;
}
