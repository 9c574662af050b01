import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../settings/resolve-settings.ts";
import type { Workload } from "../topology/workload.ts";
import { commonLabels, workloadLabels } from "./labels.ts";

/** Arguments of {@link Volumes}. */
export interface VolumesArgs {
  readonly stack: string;
  /** Every workload that has a volume gets a claim. */
  readonly workloads: readonly Workload[];
  readonly deployment: Settings["deployment"];
  /** Unset: the cluster's default StorageClass. */
  readonly storageClass?: string | undefined;
  readonly accessMode: Settings["redis"]["accessMode"];
}

/**
 * What outlives the rest of the stack: the namespace and the volume claims. Unless configured otherwise, `pulumi destroy`
 * leaves them and the next `pulumi up` adopts them with their data. So the provider given in `opts` must be one that takes
 * over existing objects.
 */
export class Volumes extends pulumi.ComponentResource {
  /** The namespace, known to exist once this output is. */
  readonly namespace: pulumi.Output<string>;
  /** Name of the claim of each workload, by the workload's name. */
  readonly claims: ReadonlyMap<string, pulumi.Output<string>>;

  constructor(name: string, args: VolumesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("redis-ha:index:Volumes", name, {}, opts);
    const { protect, keepVolumes, createNamespace, namespace } = args.deployment;
    const kept: pulumi.CustomResourceOptions = { parent: this, protect, retainOnDelete: keepVolumes };

    this.namespace = createNamespace
      ? new k8s.core.v1.Namespace(
          "namespace",
          {
            metadata: {
              name: namespace,
              labels: {
                ...commonLabels(args.stack),
                "pod-security.kubernetes.io/enforce": "restricted",
                "pod-security.kubernetes.io/audit": "restricted",
                "pod-security.kubernetes.io/warn": "restricted",
              },
            },
          },
          kept,
        ).metadata.name
      : pulumi.output(namespace);

    const claims = new Map<string, pulumi.Output<string>>();
    for (const workload of args.workloads) {
      if (workload.volume === undefined) continue;
      const claim = new k8s.core.v1.PersistentVolumeClaim(
        workload.name,
        {
          metadata: {
            name: `pvc-${workload.name}`,
            namespace: this.namespace,
            labels: workloadLabels(workload, args.stack),
            // Many classes bind only when a pod wants the volume: waiting here would be waiting for ever.
            annotations: { "pulumi.com/skipAwait": "true" },
          },
          spec: {
            accessModes: [args.accessMode],
            resources: { requests: { storage: workload.volume.storage } },
            ...(args.storageClass === undefined ? {} : { storageClassName: args.storageClass }),
          },
        },
        // A claim can't change them: another one would take its place, without the data.
        { ...kept, ignoreChanges: ["spec.accessModes", "spec.storageClassName"] },
      );
      claims.set(workload.name, claim.metadata.name);
    }
    this.claims = claims;
    this.registerOutputs({ namespace: this.namespace });
  }
}
