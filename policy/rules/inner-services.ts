import { isKind, metadataOf } from "../kubernetes-objects.ts";
import type { ResourceRule } from "../rule.ts";

interface ServiceSpec {
  readonly type?: string;
  readonly externalIPs?: readonly string[];
  readonly ports?: readonly { readonly name?: string }[];
}

/** Only the proxies are made for clients; the admin port is for the kubelet and a metrics collector. */
export const innerServices: ResourceRule = {
  name: "inner-services",
  description:
    "Redis and the Sentinels are not reachable from outside the cluster, admin ports by no Service.",
  check(resource) {
    if (!isKind(resource, "Service")) return [];
    const { type = "ClusterIP", externalIPs = [], ports = [] } = (resource.props.spec ?? {}) as ServiceSpec;
    const kind = metadataOf(resource).labels?.["app.kubernetes.io/component"];
    const outside = type !== "ClusterIP" || externalIPs.length > 0;
    return [
      ...(outside && kind !== "proxy"
        ? [`the type is ${type}: it must be ClusterIP, without externalIPs`]
        : []),
      ...ports.filter(({ name }) => name === "admin").map(() => "its port 'admin' must not be offered"),
    ];
  },
};
