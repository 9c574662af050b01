/** One resource of a stack's exported state, as far as the tests look at it. */
interface StateResource {
  readonly urn: string;
  readonly type: string;
}

interface ExportedState {
  readonly deployment: { readonly resources: readonly StateResource[] };
}

/**
 * The state that the program would have left before its parts became those of a component: no component, and names without its
 * prefix.
 *
 * @param exported what `pulumi stack export --show-secrets` says.
 */
export function formerState(exported: string): string {
  const { deployment, ...rest } = JSON.parse(exported) as ExportedState;
  const component = deployment.resources.find(({ type }) => type === "redis-ha:index:RedisHa");
  const stack = deployment.resources.find(({ type }) => type === "pulumi:pulumi:Stack");
  if (component === undefined || stack === undefined) throw new Error("there is no component in the state");
  const resources = deployment.resources.filter((resource) => resource !== component);
  return JSON.stringify({ ...rest, deployment: { ...deployment, resources } })
    .replaceAll(`"${component.urn}"`, `"${stack.urn}"`)
    .replaceAll("redis-ha:index:RedisHa$", "")
    .replace(/("urn:pulumi:(?:(?!pulumi:Stack)[^"])*::)redis-ha-/g, "$1");
}
