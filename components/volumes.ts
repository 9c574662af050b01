import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../settings/resolve-settings.ts";
import type { Naming } from "./naming.ts";
import { claimName } from "./ownership/fixed-names.ts";
import type { Survey } from "./ownership/survey.ts";
import type { Workload } from "./topology/workload.ts";

/** Arguments of {@link Volumes}. */
export interface VolumesArgs {
  readonly naming: Naming;
  /** Every workload that has a volume gets a claim. */
  readonly workloads: readonly Workload[];
  readonly deployment: Settings["deployment"];
  /** Unset: the cluster's default StorageClass. */
  readonly storageClass?: string | undefined;
  readonly accessMode: Settings["redis"]["accessMode"];
  /** Annotations that make the objects this stack's own. */
  readonly marks: Readonly<Record<string, pulumi.Input<string>>>;
  /** What is there already, and was found to be the stack's own. */
  readonly found: Pick<Survey, "namespace" | "claims">;
}

/**
 * What outlives the rest of the stack: the namespace and the volume claims. Unless configured otherwise, `pulumi destroy`
 * leaves them and the next `pulumi up` adopts them with their data. So the provider given in `opts` must be one that takes
 * over existing objects, and whoever makes this has to make sure before that they are the stack's own.
 *
 * The namespace stays in any case: whoever deletes it deletes everything in it, and nobody can know what that will be.
 */
export class Volumes extends pulumi.ComponentResource {
  /** The namespace, once it and the claims are the stack's own: nothing else is made before. */
  readonly namespace: pulumi.Output<string>;
  /** Name of the claim of each workload, by the workload's name. */
  readonly claims: ReadonlyMap<string, pulumi.Output<string>>;

  constructor(name: string, args: VolumesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("redis-ha:index:Volumes", name, {}, opts);
    const { naming } = args;
    const { protect, keepVolumes, createNamespace, namespace } = args.deployment;
    const own: pulumi.CustomResourceOptions = { parent: this, protect };
    // Its own last state or another installation's that is gone may have set other values: they give way.
    const marks = { ...args.marks, "pulumi.com/patchForce": "true" };
    const found = new Map(args.found.claims.map((claim) => [claim.name, claim]));

    const namespaceName = createNamespace
      ? new k8s.core.v1.Namespace(
          naming.resource("namespace"),
          {
            metadata: {
              name: namespace,
              annotations: { ...args.found.namespace?.others.annotations, ...marks },
              labels: {
                ...args.found.namespace?.others.labels,
                ...naming.common(),
                "pod-security.kubernetes.io/enforce": "restricted",
                "pod-security.kubernetes.io/audit": "restricted",
                "pod-security.kubernetes.io/warn": "restricted",
              },
            },
          },
          { ...own, retainOnDelete: true },
        ).metadata.name
      : pulumi.output(namespace);

    const claims = new Map<string, pulumi.Output<string>>();
    for (const workload of args.workloads) {
      if (workload.volume === undefined) continue;
      const name = claimName(naming, workload);
      const live = found.get(name);
      const storageClass = live === undefined ? args.storageClass : live.storageClass;
      const claim = new k8s.core.v1.PersistentVolumeClaim(
        naming.resource(workload.name),
        {
          metadata: {
            name,
            namespace: namespaceName,
            labels: { ...live?.others.labels, ...naming.labelsOf(workload) },
            // Many classes bind only when a pod wants the volume: waiting here would be waiting for ever.
            annotations: { ...live?.others.annotations, ...marks, "pulumi.com/skipAwait": "true" },
          },
          spec: {
            // A claim can't change these two: one that is adopted says what it has.
            accessModes: live === undefined ? [args.accessMode] : [...live.accessModes],
            resources: { requests: { storage: workload.volume.storage } },
            ...(storageClass === undefined ? {} : { storageClassName: storageClass }),
          },
        },
        // Else another claim would take its place, without the data.
        {
          ...own,
          retainOnDelete: keepVolumes,
          ignoreChanges: ["spec.accessModes", "spec.storageClassName"],
        },
      );
      claims.set(workload.name, claim.metadata.name);
    }
    this.claims = claims;
    this.namespace = pulumi
      .all([namespaceName, ...claims.values()])
      .apply(([adopted]) => adopted ?? namespace);
    this.registerOutputs({ namespace: this.namespace });
  }
}
