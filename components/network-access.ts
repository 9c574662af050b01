import type * as k8s from "@pulumi/kubernetes";
import { parseAddress } from "../runtime/address.ts";
import type { Settings } from "../settings/resolve-settings.ts";
import type { Naming } from "./naming.ts";
import { type PartKind, ports } from "./topology/site.ts";

type IngressRule = k8s.types.input.networking.v1.NetworkPolicyIngressRule;
type EgressRule = k8s.types.input.networking.v1.NetworkPolicyEgressRule;
type Peer = k8s.types.input.networking.v1.NetworkPolicyPeer;

/** The settings that decide who may talk to whom. */
export interface NetworkAccessSettings {
  readonly network: Settings["network"];
  readonly backup: Pick<Settings["backup"], "destination" | "endpoint" | "cidrs" | "nameServer">;
  readonly proxy: Pick<Settings["proxy"], "serviceType" | "sentinelApi">;
  readonly move: Pick<Settings["move"], "source">;
}

/** The spec of one policy. */
export interface NetworkAccess {
  readonly ingress: readonly IngressRule[];
  readonly egress: readonly EgressRule[];
}

/** Who talks to whom inside a stack: the port of the first is used by the others. Nobody looks a name up: see hostAliases. */
const internal: Readonly<Record<"redis" | "sentinel", readonly PartKind[]>> = {
  redis: ["redis", "sentinel", "proxy"],
  sentinel: ["sentinel", "proxy", "redis"],
};

/**
 * What may reach the pods of a kind and what they may reach: the complete list, everything else is denied. The kubelet's
 * probes come from the pod's own node, which Kubernetes always lets through.
 */
export function networkAccess(
  kind: PartKind,
  settings: NetworkAccessSettings,
  naming: Pick<Naming, "kind">,
): NetworkAccess {
  const podsOf = (of: PartKind): Peer => ({ podSelector: { matchLabels: naming.kind(of) } });
  const { network, proxy } = settings;
  const ingress: IngressRule[] = [];
  const egress: EgressRule[] = [];
  for (const [server, users] of Object.entries(internal) as [keyof typeof internal, readonly PartKind[]][]) {
    if (kind === server) ingress.push({ from: users.map(podsOf), ports: tcp(ports[server]) });
    if (users.includes(kind)) egress.push({ to: [podsOf(server)], ports: tcp(ports[server]) });
  }
  const served = servedToClients(kind, proxy.sentinelApi);
  if (served.length > 0) ingress.push({ ...from(clients(settings)), ports: tcp(...served) });
  if (network.metricsNamespaces !== undefined && kind !== "sentinel") {
    ingress.push({ from: [inNamespaces(network.metricsNamespaces)], ports: tcp(ports.admin) });
  }
  if (kind === "redis") egress.push(...backupEgress(settings.backup));
  if (kind !== "sentinel") egress.push(...moveEgress(settings.move.source));
  ingress.push(...rulesOf<IngressRule>(kind, network.extraIngress));
  egress.push(...rulesOf<EgressRule>(kind, network.extraEgress));
  return { ingress, egress };
}

/** To the store of the backups, and to the name server that knows it. */
function backupEgress({
  destination,
  endpoint,
  cidrs,
  nameServer,
}: NetworkAccessSettings["backup"]): EgressRule[] {
  if (!destination?.startsWith("s3://")) return [];
  const url = endpoint === undefined ? undefined : new URL(endpoint);
  const port = Number(url?.port || (url?.protocol === "http:" ? 80 : 443));
  const store: EgressRule = {
    ...(cidrs === undefined ? {} : { to: cidrs.map((cidr) => ({ ipBlock: { cidr } })) }),
    ports: tcp(port),
  };
  if (nameServer === undefined) return [store];
  const dns = ["UDP", "TCP"].map((protocol) => ({ protocol, port: 53 }));
  const bits = nameServer.includes(":") ? 128 : 32;
  return [
    store,
    {
      to: [
        { ipBlock: { cidr: `${nameServer}/${bits}` } },
        // Some networks look at the pod behind the Service's address.
        { namespaceSelector: {}, podSelector: { matchLabels: { "k8s-app": "kube-dns" } } },
      ],
      ports: dns,
    },
  ];
}

/** To the Redis whose data are taken over. */
function moveEgress(source: string | undefined): EgressRule[] {
  if (source === undefined) return [];
  const { host, port } = parseAddress(source);
  // Some networks look at the pod behind a Service's address: only the port is the same then.
  const to = [{ ipBlock: { cidr: `${host}/${host.includes(":") ? 128 : 32}` } }, { namespaceSelector: {} }];
  return [{ to, ports: tcp(port) }];
}

/** The rules that settings add for a kind. */
function rulesOf<T>(
  kind: PartKind,
  given: readonly { readonly parts?: readonly PartKind[] | undefined }[] = [],
): T[] {
  return given.filter(({ parts }) => parts?.includes(kind) ?? true).map(({ parts, ...rule }) => rule as T);
}

/** Without the proxy's Sentinel API, Sentinel clients ask the real Sentinels and then connect to Redis itself. */
function servedToClients(kind: PartKind, sentinelApi: boolean): number[] {
  if (kind === "proxy") return sentinelApi ? [ports.redis, ports.sentinel] : [ports.redis];
  return sentinelApi ? [] : [ports[kind]];
}

/** Who may connect to the endpoint; undefined: everybody. */
function clients({ network, proxy }: NetworkAccessSettings): Peer[] | undefined {
  const { clientNamespaces, clientSelector, clientCidrs } = network;
  // Such an endpoint is made for clients outside the cluster, and some load balancers come with the address of a node.
  if (proxy.serviceType !== "ClusterIP" && clientCidrs === undefined) return undefined;
  const labels = clientSelector?.map((label): [string, string] => {
    const at = label.indexOf("=");
    return [label.slice(0, at), label.slice(at + 1)];
  });
  return [
    {
      ...(clientNamespaces === undefined ? { namespaceSelector: {} } : inNamespaces(clientNamespaces)),
      ...(labels === undefined ? {} : { podSelector: { matchLabels: Object.fromEntries(labels) } }),
    },
    ...(clientCidrs ?? []).map((cidr) => ({ ipBlock: { cidr } })),
  ];
}

function from(peers: Peer[] | undefined): { from?: Peer[] } {
  // An absent `from` is everybody; an empty one would be, too.
  return peers === undefined ? {} : { from: peers };
}

function inNamespaces(names: readonly string[]): Peer {
  const key = "kubernetes.io/metadata.name";
  return { namespaceSelector: { matchExpressions: [{ key, operator: "In", values: [...names] }] } };
}

function tcp(...numbers: number[]): k8s.types.input.networking.v1.NetworkPolicyPort[] {
  return numbers.map((port) => ({ protocol: "TCP", port }));
}
