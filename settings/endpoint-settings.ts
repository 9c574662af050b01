import { z } from "zod";
import { isCidr } from "./cidr.ts";
import { choice, integer, json, list, type Setting, text } from "./kinds.ts";
import * as shapes from "./object-shapes.ts";
import { map } from "./pod-settings.ts";

/** Keys of the endpoint's Service. */
export function endpointSettings() {
  return {
    serviceAnnotations: map({
      description: "Annotations of the endpoint's Service: what a cloud's load balancer is told.",
      shape: shapes.annotations,
      example: '{"service.beta.kubernetes.io/aws-load-balancer-scheme":"internal"}',
    }),
    serviceLabels: map({
      description: "Labels of the endpoint's Service.",
      shape: shapes.labels,
      example: '{"exposed":"true"}',
    }),
    loadBalancerClass: text({
      description: "Who makes the load balancer. It can't change later.",
      derived: "the cluster's default",
      pattern: /^([a-z0-9.-]{1,253}\/)?[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?$/,
      allowed: "a name with an optional prefix",
      example: "service.k8s.aws/nlb",
    }),
    loadBalancerSourceRanges: list({
      description: "Addresses that the load balancer lets through.",
      derived: "all",
      item: isCidr,
      allowed: "address ranges in CIDR notation, separated by commas",
      example: "203.0.113.0/24",
    }),
    externalTrafficPolicy: choice({
      description:
        "Whether clients outside come by any node, or only by nodes with a proxy: then a proxy sees their addresses.",
      of: ["Cluster", "Local"],
      derived: "Cluster, where the Service type has it",
    }),
    nodePort: nodePort("Redis clients"),
    sentinelNodePort: nodePort("Sentinel clients"),
    ipFamilies: list({
      description: "Address families of the endpoint's Service, the first one first.",
      derived: "the cluster's",
      item: (item) => item === "IPv4" || item === "IPv6",
      allowed: "IPv4, IPv6 or both, separated by a comma",
      example: "IPv4,IPv6",
    }),
    ipFamilyPolicy: choice({
      description: "Whether the endpoint's Service has one address or one of each family.",
      of: ["SingleStack", "PreferDualStack", "RequireDualStack"],
      derived: "the cluster's",
    }),
  };
}

/** Keys for connections that redis-ha doesn't know of. */
export function networkSettings() {
  return {
    extraIngress: rules<shapes.IngressRule>(
      "Connections to the pods that are allowed beside redis-ha's own: exporters, meshes, backups.",
      shapes.ingressRule,
      "IngressRule",
      '[{"parts":["redis"],"from":[{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"monitoring"}}}],"ports":[{"port":9121,"protocol":"TCP"}]}]',
    ),
    extraEgress: rules<shapes.EgressRule>(
      "Connections of the pods that are allowed beside redis-ha's own.",
      shapes.egressRule,
      "EgressRule",
      '[{"parts":["proxy"],"to":[{"ipBlock":{"cidr":"10.0.0.0/8"}}],"ports":[{"port":15012,"protocol":"TCP"}]}]',
    ),
  };
}

function nodePort(who: string): Setting<number> {
  return integer({
    description: `Port of each node for ${who} outside the cluster.`,
    min: 1,
    max: 65_535,
    derived: "the cluster chooses",
    example: "30379",
  });
}

function rules<T>(
  description: string,
  shape: z.ZodType<T>,
  argument: string,
  example: string,
): Setting<readonly T[]> {
  return json<readonly T[]>({
    description: `${description} Without \`parts\` a rule is for all three.`,
    derived: "none",
    shape: z.array(shape).max(100),
    argument: `readonly ${argument}[]`,
    allowed: `a JSON list of {parts?, ${argument === "IngressRule" ? "from" : "to"}, ports?} as in a NetworkPolicy`,
    example,
  });
}
