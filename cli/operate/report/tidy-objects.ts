/** Names of the environment variables that the product sets. */
const ownVariable = /^(?:BIND|HA|MASTER|PROXY|REDIS|SENTINEL)_[A-Z_]+$/;

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

interface Variable {
  readonly name: string;
  readonly value?: string;
}

/**
 * A copy of an object of Kubernetes without what nobody reads, and what must not be read: who managed which field, the whole object once more
 * as text, and what variables hold that somebody else has given to a container. References to Secrets stay: they are names.
 */
export function tidyObject(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(tidyObject);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== "managedFields" && key !== lastApplied)
      .map(([key, item]) => [
        key,
        key === "env" && Array.isArray(item) ? item.map(tidyVariable) : tidyObject(item),
      ]),
  );
}

function tidyVariable(variable: Variable): unknown {
  const { name, value } = variable;
  return value === undefined || ownVariable.test(name) ? variable : { ...variable, value: "[not shown]" };
}

interface WorkloadObject {
  readonly metadata: { readonly name: string };
  readonly spec?: {
    readonly replicas?: number;
    readonly template?: {
      readonly spec?: {
        readonly containers?: readonly {
          readonly image?: string;
          readonly resources?: object;
          readonly env?: readonly Variable[];
        }[];
      };
    };
  };
}

/** The settings that each workload was given, as its Deployment says: image, resources and environment of the product's container. */
export function settingsOf(deployments: readonly WorkloadObject[]): Record<string, object> {
  return Object.fromEntries(
    deployments.map(({ metadata, spec }) => {
      const { image, resources, env = [] } = spec?.template?.spec?.containers?.[0] ?? {};
      const own = env.filter(({ name, value }) => value !== undefined && ownVariable.test(name));
      const environment = Object.fromEntries(own.map(({ name, value }) => [name, value]));
      return [metadata.name, { replicas: spec?.replicas, image, resources, environment }];
    }),
  );
}
