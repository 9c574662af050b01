import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../settings/resolve-settings.ts";
import { type PodArgs, podTemplate } from "./pod.ts";
import { awaitedByProgram, type Rollouts } from "./rollout/rollouts.ts";
import { endpointPart } from "./topology/site.ts";
import type { Workload } from "./topology/workload.ts";

/** Seconds for which a new proxy has to be ready before an old one is told to end. */
const secondsToBeKnown = 2;

/** Arguments of {@link Proxy}. */
export interface SentinelProxyArgs extends Omit<PodArgs, "claim"> {
  readonly namespace: pulumi.Input<string>;
  readonly workload: Workload;
  readonly serviceType: Settings["proxy"]["serviceType"];
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
    const labels = naming.labelsOf(workload);
    const service = new k8s.core.v1.Service(
      resource,
      {
        metadata: {
          name: serviceName,
          namespace,
          labels,
          // The provider would wait for ten quiet seconds of its endpoints. Only a load balancer has something to wait for: an address.
          ...(args.serviceType === "LoadBalancer" ? {} : { annotations: awaitedByProgram }),
        },
        spec: {
          type: args.serviceType,
          selector: naming.workload(workload),
          ports: workload.ports
            .filter(({ name: port }) => port !== "admin")
            .map(({ name: port, port: number }) => ({ name: port, port: number, targetPort: port })),
        },
      },
      { parent: this },
    );
    const deployment = new k8s.apps.v1.Deployment(
      resource,
      {
        metadata: { name: naming.object(workload.name), namespace, labels, annotations: awaitedByProgram },
        spec: {
          replicas: workload.replicas,
          selector: { matchLabels: naming.workload(workload) },
          // A new proxy serves before an old one ends; every node has had time to hear of it, and one that fails at once stops the roll.
          minReadySeconds: secondsToBeKnown,
          strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
          template: podTemplate(workload, args),
        },
      },
      { parent: this },
    );
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
