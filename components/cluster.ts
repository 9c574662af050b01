import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Naming } from "./naming.ts";

/** The two ways in which a stack talks to its cluster. */
export interface ClusterProviders {
  /** Refuses to create what exists already: a second stack can't take over the objects of the first. */
  readonly owning: k8s.Provider;
  /** Takes over what exists: for the objects that a `pulumi destroy` leaves behind on purpose. */
  readonly adopting: k8s.Provider;
}

/** Connects to one context of the kubeconfig; unset means the current one. */
export function connectCluster(
  context: string | undefined,
  naming: Pick<Naming, "resource">,
  parent: pulumi.Resource,
): ClusterProviders {
  const target = {
    ...(context === undefined ? {} : { context }),
    // New passwords and certificates come into the Secrets that pods have already. Without it each change makes a Secret of another
    // name, and rolls every pod that mounts it.
    enableSecretMutable: true,
  };
  return {
    owning: new k8s.Provider(naming.resource("cluster"), target, { parent }),
    adopting: new k8s.Provider(
      naming.resource("cluster-adopting"),
      { ...target, upsertExistingObjects: true },
      { parent },
    ),
  };
}
