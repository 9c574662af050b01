import { BlockList, isIPv6 } from "node:net";

/** A label selector, as far as the product's policies use it. */
interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}
interface Peer {
  readonly podSelector?: Selector;
  readonly namespaceSelector?: Selector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}
interface Rule {
  readonly from?: readonly Peer[];
  readonly to?: readonly Peer[];
  readonly ports?: readonly { readonly protocol?: string; readonly port?: number }[];
}

/** A NetworkPolicy as the API server holds it. */
export interface Policy {
  readonly metadata: { readonly namespace: string };
  readonly spec: {
    readonly podSelector: Selector;
    readonly policyTypes: readonly string[];
    readonly ingress?: readonly Rule[];
    readonly egress?: readonly Rule[];
  };
}

/** One end of a connection: a pod, or an address that no pod has. */
export type End =
  | {
      readonly namespace: string;
      readonly labels: Readonly<Record<string, string>>;
      readonly address?: string;
    }
  | { readonly address: string };

/**
 * Whether the policies let `from` open a TCP connection to `port` of `to`, by the rules of
 * https://kubernetes.io/docs/concepts/services-networking/network-policies/: a pod that no policy selects is open, otherwise
 * one rule must allow it, on both sides. Written from that page and not from the product, which it judges.
 */
export function mayConnect(policies: readonly Policy[], from: End, to: End, port: number): boolean {
  return allows(policies, "Egress", from, to, port) && allows(policies, "Ingress", to, from, port);
}

function allows(
  policies: readonly Policy[],
  direction: "Ingress" | "Egress",
  subject: End,
  other: End,
  port: number,
): boolean {
  if (!("namespace" in subject)) return true;
  const about = policies.filter(
    ({ metadata, spec }) =>
      metadata.namespace === subject.namespace &&
      spec.policyTypes.includes(direction) &&
      matches(spec.podSelector, subject.labels),
  );
  if (about.length === 0) return true;
  return about.some(({ metadata, spec }) =>
    ((direction === "Ingress" ? spec.ingress : spec.egress) ?? []).some((rule) => {
      const peers = (direction === "Ingress" ? rule.from : rule.to) ?? [];
      const ports = rule.ports ?? [];
      return (
        (ports.length === 0 ||
          ports.some((item) => (item.protocol ?? "TCP") === "TCP" && (item.port ?? port) === port)) &&
        (peers.length === 0 || peers.some((peer) => isPeer(peer, metadata.namespace, other)))
      );
    }),
  );
}

function isPeer(peer: Peer, namespace: string, other: End): boolean {
  if (peer.ipBlock !== undefined) {
    const { cidr, except = [] } = peer.ipBlock;
    return other.address !== undefined && within(other.address, [cidr]) && !within(other.address, except);
  }
  if (!("namespace" in other)) return false;
  const inNamespace =
    peer.namespaceSelector === undefined
      ? other.namespace === namespace
      : matches(peer.namespaceSelector, { "kubernetes.io/metadata.name": other.namespace });
  return inNamespace && matches(peer.podSelector ?? {}, other.labels);
}

function matches(
  { matchLabels = {}, matchExpressions = [] }: Selector,
  labels: Readonly<Record<string, string>>,
): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      if (operator !== "In") throw new Error(`the operator ${operator} is not known here`);
      return values.includes(labels[key] ?? "");
    })
  );
}

function within(address: string, ranges: readonly string[]): boolean {
  const family = isIPv6(address) ? "ipv6" : "ipv4";
  const list = new BlockList();
  for (const range of ranges) {
    const [net = "", bits = ""] = range.split("/");
    list.addSubnet(net, Number(bits), isIPv6(net) ? "ipv6" : "ipv4");
  }
  return list.check(address, family);
}
