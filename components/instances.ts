import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type DeploymentArgs, deploymentOf } from "./deployment.ts";
import type { Rollouts } from "./rollout/rollouts.ts";
import type { Workload } from "./topology/workload.ts";

/** Arguments of {@link Instances}. */
export interface InstancesArgs extends Omit<DeploymentArgs, "claim"> {
  /** Workloads of one kind, all with a volume, in the order in which they are rolled. */
  readonly workloads: readonly Workload[];
  /** Name of the claim of each workload. */
  readonly claims: ReadonlyMap<string, pulumi.Input<string>>;
  /** Who waits for pods; unset in previews. */
  readonly rollouts: Pick<Rollouts, "turnOf" | "finished"> | undefined;
}

/**
 * All Redis or all Sentinels: a Deployment with one pod for each, and one disruption budget over them. A Deployment is changed
 * when the one before is rolled out and all others are ready, so a change takes one pod away at a time.
 */
export class Instances extends pulumi.ComponentResource {
  /** Known when every pod is ready. What depends on it starts after them. */
  readonly last: Promise<pulumi.Resource[]>;

  constructor(
    name: string,
    args: InstancesArgs,
    opts: pulumi.ComponentResourceOptions & { readonly after?: Promise<pulumi.Resource[]> | undefined } = {},
  ) {
    const { after = Promise.resolve([]), ...componentOptions } = opts;
    super("redis-ha:index:Instances", name, {}, componentOptions);
    const { naming, rollouts, workloads } = args;
    let previous = after;
    for (const workload of workloads) {
      const deployment = new k8s.apps.v1.Deployment(
        naming.resource(workload.name),
        deploymentOf(workload, { ...args, claim: args.claims.get(workload.name) }),
        { parent: this, dependsOn: turnOf(workload, previous, args) },
      );
      previous = (rollouts?.finished(deployment, workload) ?? Promise.resolve()).then(() => [deployment]);
    }
    this.last = previous;

    const [first] = args.workloads;
    if (first !== undefined) {
      const { kind } = first.part;
      const selector = naming.kind(kind);
      new k8s.policy.v1.PodDisruptionBudget(
        naming.resource(kind),
        {
          metadata: {
            name: naming.object(kind),
            namespace: args.namespace,
            labels: { ...naming.common(), ...selector },
          },
          // One budget over all: one for each Deployment would block every drain.
          spec: { minAvailable: args.workloads.length - 1, selector: { matchLabels: selector } },
        },
        { parent: this },
      );
    }
    this.registerOutputs({});
  }
}

/** What a workload depends on, known when it may be changed. */
async function turnOf(
  workload: Workload,
  previous: Promise<pulumi.Resource[]>,
  { rollouts, workloads }: InstancesArgs,
): Promise<pulumi.Resource[]> {
  const dependencies = await previous;
  await rollouts?.turnOf(
    workload,
    workloads.filter((other) => other !== workload),
  );
  return dependencies;
}
