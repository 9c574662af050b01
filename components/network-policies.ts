import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Naming } from "./naming.ts";
import { type NetworkAccessSettings, networkAccess } from "./network-access.ts";
import type { PartKind } from "./topology/site.ts";

/** Arguments of {@link NetworkPolicies}. */
export interface NetworkPoliciesArgs {
  readonly naming: Naming;
  readonly namespace: pulumi.Input<string>;
  readonly settings: NetworkAccessSettings;
}

/**
 * Who may talk to whom: one policy that denies every connection from and to a pod of the stack, and one for each kind with
 * what it needs. Other pods of the namespace are applications that mount the password: what they may do is not ours to say.
 */
export class NetworkPolicies extends pulumi.ComponentResource {
  constructor(name: string, args: NetworkPoliciesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("redis-ha:index:NetworkPolicies", name, {}, opts);
    const { naming, namespace, settings } = args;
    const policyTypes = ["Ingress", "Egress"];
    new k8s.networking.v1.NetworkPolicy(
      naming.resource("deny-all"),
      {
        metadata: { name: naming.object("redis-ha-deny-all"), namespace, labels: naming.common() },
        spec: { podSelector: { matchLabels: naming.pods() }, policyTypes },
      },
      { parent: this },
    );
    for (const kind of ["redis", "sentinel", "proxy"] satisfies PartKind[]) {
      const selector = naming.kind(kind);
      const { ingress, egress } = networkAccess(kind, settings, naming);
      new k8s.networking.v1.NetworkPolicy(
        naming.resource(kind),
        {
          metadata: {
            name: naming.object(`redis-ha-${kind}`),
            namespace,
            labels: { ...naming.common(), ...selector },
          },
          spec: {
            podSelector: { matchLabels: selector },
            policyTypes,
            ingress: [...ingress],
            egress: [...egress],
          },
        },
        { parent: this },
      );
    }
    this.registerOutputs({});
  }
}
