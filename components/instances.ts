import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Workload } from "../topology/workload.ts";
import { commonLabels, kindSelector, workloadLabels, workloadSelector } from "./labels.ts";
import { type PodArgs, podTemplate } from "./pod.ts";

/** Arguments of {@link Instances}. */
export interface InstancesArgs extends Omit<PodArgs, "claim"> {
  readonly namespace: pulumi.Input<string>;
  /** Workloads of one kind, all with a volume, in the order in which they are rolled. */
  readonly workloads: readonly Workload[];
  /** Name of the claim of each workload. */
  readonly claims: ReadonlyMap<string, pulumi.Input<string>>;
}

/**
 * All Redis or all Sentinels: a Deployment with one pod for each, and one disruption budget over them. Each Deployment
 * depends on the one before, so a change restarts one pod at a time and only goes on when that pod is ready again.
 */
export class Instances extends pulumi.ComponentResource {
  /** Becomes known when every pod is ready. What depends on it starts after them. */
  readonly last: pulumi.Resource | undefined;

  constructor(
    name: string,
    args: InstancesArgs,
    opts: pulumi.ComponentResourceOptions & { readonly after?: pulumi.Resource | undefined } = {},
  ) {
    const { after, ...componentOptions } = opts;
    super("redis-ha:index:Instances", name, {}, componentOptions);
    let previous = after;
    for (const workload of args.workloads) {
      previous = new k8s.apps.v1.Deployment(
        workload.name,
        {
          metadata: {
            name: workload.name,
            namespace: args.namespace,
            labels: workloadLabels(workload, args.stack),
          },
          spec: {
            replicas: workload.replicas,
            selector: { matchLabels: workloadSelector(workload) },
            // Two pods on one volume would be two servers on one set of files.
            strategy: { type: "Recreate" },
            template: podTemplate(workload, { ...args, claim: args.claims.get(workload.name) }),
          },
        },
        { parent: this, dependsOn: previous === undefined ? [] : [previous] },
      );
    }
    this.last = previous;

    const [first] = args.workloads;
    if (first !== undefined) {
      const selector = kindSelector(first.part.kind);
      new k8s.policy.v1.PodDisruptionBudget(
        name,
        {
          metadata: { name, namespace: args.namespace, labels: { ...commonLabels(args.stack), ...selector } },
          // One budget over all: one for each Deployment would block every drain.
          spec: { minAvailable: args.workloads.length - 1, selector: { matchLabels: selector } },
        },
        { parent: this },
      );
    }
    this.registerOutputs({});
  }
}
