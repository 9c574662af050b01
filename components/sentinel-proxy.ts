import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type DeploymentArgs, deploymentOf } from "./deployment.ts";
import { type EndpointSettings, endpointService } from "./endpoint-service.ts";
import type { Rollouts } from "./rollout/rollouts.ts";
import { endpointPart } from "./topology/site.ts";
import type { Workload } from "./topology/workload.ts";

/** Arguments of {@link Proxy}. */
export interface SentinelProxyArgs extends Omit<DeploymentArgs, "claim"> {
  readonly workload: Workload;
  readonly endpoint: EndpointSettings;
  /** Who waits for pods; unset in previews. */
  readonly rollouts: Pick<Rollouts, "finished"> | undefined;
}

/** The proxies and their Service: the endpoint that clients use as if it were one Redis. */
export class SentinelProxy extends pulumi.ComponentResource {
  /** Host name of the endpoint inside the cluster, from every namespace. */
  readonly host: pulumi.Output<string>;
  /** `host:port` for clients outside the cluster; empty for a Service of type ClusterIP. */
  readonly externalEndpoint: pulumi.Output<string>;

  constructor(name: string, args: SentinelProxyArgs, opts?: pulumi.ComponentResourceOptions) {
    super("redis-ha:index:SentinelProxy", name, {}, opts);
    const { workload, naming, namespace } = args;
    const resource = naming.resource("proxy");
    const serviceName = naming.service(endpointPart);
    const service = new k8s.core.v1.Service(resource, endpointService(workload, args), { parent: this });
    const deployment = new k8s.apps.v1.Deployment(resource, deploymentOf(workload, args), { parent: this });
    // A failure ends the program, though nothing depends on it.
    void args.rollouts?.finished(deployment, workload);
    if (workload.replicas > 1) {
      const selector = naming.kind("proxy");
      new k8s.policy.v1.PodDisruptionBudget(
        resource,
        {
          metadata: {
            name: naming.object("proxy"),
            namespace,
            labels: { ...naming.common(), ...selector },
          },
          spec: { minAvailable: workload.replicas - 1, selector: { matchLabels: selector } },
        },
        { parent: this },
      );
    }
    this.host = pulumi.interpolate`${serviceName}.${namespace}.svc`;
    this.externalEndpoint = pulumi
      .all([service.spec, service.status])
      .apply(([spec, status]) => externalEndpoint(spec, status));
    this.registerOutputs({ host: this.host, externalEndpoint: this.externalEndpoint });
  }
}

/** Where clients outside the cluster reach a Service, as far as the Service knows. */
export function externalEndpoint(
  spec: k8s.types.output.core.v1.ServiceSpec,
  status: k8s.types.output.core.v1.ServiceStatus | undefined,
): string {
  const redisPort = spec.ports?.find(({ name }) => name === "redis");
  if (spec.type === "LoadBalancer") {
    const [ingress] = status?.loadBalancer?.ingress ?? [];
    const host = ingress?.hostname || ingress?.ip;
    return host === undefined ? "" : `${host}:${redisPort?.port}`;
  }
  return spec.type === "NodePort" && redisPort?.nodePort ? `<any node>:${redisPort.nodePort}` : "";
}
