import type * as k8s from "@pulumi/kubernetes";
import type { Settings } from "../settings/resolve-settings.ts";
import type { DeploymentArgs } from "./deployment.ts";
import { applyPatch } from "./patch.ts";
import { awaitedByProgram } from "./rollout/rollouts.ts";
import { endpointPart } from "./topology/site.ts";
import type { Workload } from "./topology/workload.ts";

/** The settings of the endpoint's Service. */
export type EndpointSettings = Settings["proxy"];

/** The Service of the proxies. Pure. */
export function endpointService(
  workload: Workload,
  {
    naming,
    namespace,
    endpoint,
    patches,
  }: Pick<DeploymentArgs, "naming" | "namespace" | "patches"> & {
    readonly endpoint: EndpointSettings;
  },
): k8s.types.input.core.v1.Service {
  const { serviceType: type, loadBalancerSourceRanges, ipFamilies } = endpoint;
  const annotations = {
    ...endpoint.serviceAnnotations,
    // The provider would wait for ten quiet seconds of its endpoints. Only a load balancer has something to wait for: an address.
    ...(type === "LoadBalancer" ? {} : awaitedByProgram),
  };
  const nodePorts: Readonly<Record<string, number | undefined>> = {
    redis: endpoint.nodePort,
    sentinel: endpoint.sentinelNodePort,
  };
  return applyPatch(
    {
      metadata: {
        name: naming.service(endpointPart),
        namespace,
        labels: { ...endpoint.serviceLabels, ...naming.labelsOf(workload) },
        ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
      },
      spec: {
        type,
        selector: naming.workload(workload),
        ports: workload.ports
          .filter(({ name }) => name !== "admin")
          .map(({ name, port }) => ({
            name,
            port,
            targetPort: name,
            ...(nodePorts[name] === undefined ? {} : { nodePort: nodePorts[name] }),
          })),
        ...given("loadBalancerClass", endpoint.loadBalancerClass),
        ...given("loadBalancerSourceRanges", loadBalancerSourceRanges && [...loadBalancerSourceRanges]),
        ...given("externalTrafficPolicy", endpoint.externalTrafficPolicy),
        ...given("ipFamilies", ipFamilies && [...ipFamilies]),
        ...given("ipFamilyPolicy", endpoint.ipFamilyPolicy),
      },
    },
    patches?.service,
  );
}

function given<K extends string, T>(key: K, value: T | undefined): { [P in K]?: T } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: T });
}
