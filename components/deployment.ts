import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Patches } from "../settings/object-shapes.ts";
import type { Settings } from "../settings/resolve-settings.ts";
import { applyPatch } from "./patch.ts";
import { type PodArgs, podTemplate } from "./pod.ts";
import { awaitedByProgram } from "./rollout/rollouts.ts";
import type { PartKind } from "./topology/site.ts";
import type { Workload } from "./topology/workload.ts";

/** Seconds for which a new proxy has to be ready before an old one is told to end. */
const secondsToBeKnown = 2;

/** Arguments of {@link deploymentOf}. */
export interface DeploymentArgs extends PodArgs {
  readonly namespace: pulumi.Input<string>;
  /** Changes of the part's objects, applied last. */
  readonly patches?: Patches | undefined;
}

/** What the settings say about the pods of a part. */
export function podsOf(
  kind: PartKind,
  settings: Settings,
): Pick<DeploymentArgs, "extras" | "patches" | "priorityClass" | "tolerationSeconds"> {
  const part = settings[kind];
  return {
    extras: part,
    patches: part.patches,
    priorityClass: part.priorityClass ?? settings.deployment.priorityClass,
    tolerationSeconds: part.tolerationSeconds,
  };
}

/** The Deployment of a workload. Pure. */
export function deploymentOf(workload: Workload, args: DeploymentArgs): k8s.types.input.apps.v1.Deployment {
  const { naming, namespace } = args;
  return applyPatch(
    {
      metadata: {
        name: naming.object(workload.name),
        namespace,
        labels: naming.labelsOf(workload),
        annotations: awaitedByProgram,
      },
      spec: {
        replicas: workload.replicas,
        selector: { matchLabels: naming.workload(workload) },
        ...(workload.part.kind === "proxy"
          ? {
              // A new proxy serves before an old one ends; every node has had time to hear of it, and one that fails at once stops the roll.
              minReadySeconds: secondsToBeKnown,
              strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
            }
          : // Two pods on one volume would be two servers on one set of files.
            { strategy: { type: "Recreate" } }),
        template: podTemplate(workload, args),
      },
    },
    args.patches?.deployment,
  );
}
