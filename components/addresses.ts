import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Naming } from "./naming.ts";
import type { Topology } from "./topology/topology.ts";

/** Arguments of {@link Addresses}. */
export interface AddressesArgs {
  readonly naming: Naming;
  readonly namespace: pulumi.Input<string>;
  readonly topology: Pick<Topology, "redis" | "sentinels">;
}

/**
 * The Services of all Redis and Sentinels: a ClusterIP for each, which outlives every pod, and one headless Service over all
 * Sentinels for clients that discover them by DNS.
 */
export class Addresses extends pulumi.ComponentResource {
  /**
   * ClusterIP → Service name for the `hosts` file of every pod. Redis and Sentinel look names up in their main thread: a
   * slow DNS server would stop them, a failed lookup makes a Sentinel name the wrong master. So no lookup leaves a pod.
   */
  readonly hostAliases: pulumi.Output<k8s.types.input.core.v1.HostAlias[]>;

  constructor(name: string, args: AddressesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("redis-ha:index:Addresses", name, {}, opts);
    const { naming, namespace, topology } = args;
    const services = [...topology.redis, ...topology.sentinels].map((workload) => {
      const service = new k8s.core.v1.Service(
        naming.resource(workload.name),
        {
          metadata: {
            name: naming.service(workload.part),
            namespace,
            labels: naming.labelsOf(workload),
            // The pods need this Service's address before they run: don't wait for them.
            annotations: { "pulumi.com/skipAwait": "true" },
          },
          spec: {
            selector: naming.workload(workload),
            ports: workload.ports
              .filter(({ name: port }) => port !== "admin")
              .map(({ name: port, port: number }) => ({ name: port, port: number, targetPort: port })),
            // A pod that loads, waits for its role or is fenced must stay reachable for its peers and the Sentinels.
            publishNotReadyAddresses: true,
            ipFamilyPolicy: "SingleStack",
          },
        },
        { parent: this },
      );
      return { ip: service.spec.clusterIP, hostnames: [naming.service(workload.part)] };
    });
    new k8s.core.v1.Service(
      naming.resource("sentinels"),
      {
        metadata: {
          name: naming.sentinels,
          namespace,
          labels: { ...naming.common(), ...naming.kind("sentinel") },
        },
        spec: {
          clusterIP: "None",
          selector: naming.kind("sentinel"),
          ports: topology.sentinels
            .slice(0, 1)
            .flatMap(({ ports }) =>
              ports.map(({ name: port, port: number }) => ({ name: port, port: number })),
            ),
          publishNotReadyAddresses: true,
        },
      },
      { parent: this },
    );
    this.hostAliases = pulumi.all(services);
    this.registerOutputs({ hostAliases: this.hostAliases });
  }
}
