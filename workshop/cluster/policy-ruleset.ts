/** A label selector. Of expressions the operator `In` alone: whatever else a policy says is refused. */
export interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

/** The other side of a connection, in a rule. */
export interface Peer {
  readonly podSelector?: Selector;
  readonly namespaceSelector?: Selector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}

/** One rule of a policy: absent peers or ports are all of them. */
export interface Rule {
  readonly from?: readonly Peer[];
  readonly to?: readonly Peer[];
  readonly ports?: readonly { readonly protocol?: string; readonly port?: number | string }[];
}

/** What decides who may connect, as far as the ruleset needs it. */
export interface NetworkState {
  readonly policies: readonly {
    readonly namespace: string;
    readonly podSelector: Selector;
    readonly policyTypes: readonly string[];
    readonly ingress?: readonly Rule[];
    readonly egress?: readonly Rule[];
  }[];
  readonly pods: readonly { readonly namespace: string; readonly labels: Labels; readonly address: string }[];
  /** Labels of each namespace. */
  readonly namespaces: ReadonlyMap<string, Labels>;
}

type Labels = Readonly<Record<string, string>>;
type Pod = NetworkState["pods"][number];

/** Name of the table of the packet filter. It is replaced as a whole, and removed with the cluster. */
export const policyTable = "redis-ha-policies";

/**
 * NetworkPolicies as a table for `nft -f`. A pod that a policy selects gets a chain with what is allowed and a drop at its end;
 * answers always pass. What the node itself sends to a pod isn't forwarded, so probes pass, too.
 *
 * @throws {Error} for what a policy may say and this doesn't understand: named ports, operators other than In.
 */
export function renderPolicyRuleset(state: NetworkState): string {
  const chains: string[] = [];
  const jumps = (["egress", "ingress"] as const).map((direction) => {
    const entries = state.pods.flatMap((pod) => {
      const rules = rulesAbout(pod, direction, state);
      if (rules === undefined) return [];
      const chain = `${direction}_${pod.address.replaceAll(".", "_")}`;
      chains.push(`  chain ${chain} {\n${rules.map((rule) => `    ${rule}\n`).join("")}    drop\n  }`);
      return [`${pod.address} : jump ${chain}`];
    });
    const side = direction === "egress" ? "saddr" : "daddr";
    return entries.length === 0 ? "" : `    ip ${side} vmap { ${entries.join(", ")} }\n`;
  });
  const answers = "    ct state established,related accept\n";
  return [
    // Made first, so that the deletion can't fail: nft applies a file in one transaction.
    `table inet ${policyTable}`,
    `delete table inet ${policyTable}`,
    `table inet ${policyTable} {`,
    ...chains,
    `  chain forward {\n    type filter hook forward priority filter\n${answers}${jumps.join("")}  }`,
    `  chain input {\n    type filter hook input priority filter\n${answers}${jumps[0]}  }`,
    "}",
    "",
  ].join("\n");
}

/** What a pod may do, or undefined when no policy is about it. */
function rulesAbout(pod: Pod, direction: "egress" | "ingress", state: NetworkState): string[] | undefined {
  const type = direction === "egress" ? "Egress" : "Ingress";
  const policies = state.policies.filter(
    ({ namespace, podSelector, policyTypes }) =>
      namespace === pod.namespace && policyTypes.includes(type) && matches(podSelector, pod.labels),
  );
  if (policies.length === 0) return undefined;
  const side = direction === "egress" ? "daddr" : "saddr";
  return [
    // Nobody can keep a pod from itself.
    `ip ${side} ${pod.address} return`,
    ...policies.flatMap((policy) =>
      (policy[direction] ?? []).flatMap((rule) => {
        const peers = (direction === "egress" ? rule.to : rule.from) ?? [];
        const addresses =
          peers.length === 0
            ? [""]
            : peers.flatMap((peer) => addressMatch(peer, side, policy.namespace, state));
        return addresses.flatMap((address) =>
          portMatches(rule).map((port) => [address, port, "return"].filter((word) => word !== "").join(" ")),
        );
      }),
    ),
  ];
}

function addressMatch(peer: Peer, side: string, own: string, { pods, namespaces }: NetworkState): string[] {
  if (peer.ipBlock !== undefined) {
    const { cidr, except = [] } = peer.ipBlock;
    // Pods of this cluster have IPv4 addresses only.
    if (cidr.includes(":")) return [];
    const excluded = except.length === 0 ? "" : ` ip ${side} != { ${except.join(", ")} }`;
    return [`ip ${side} ${cidr}${excluded}`];
  }
  const { namespaceSelector, podSelector = {} } = peer;
  const found = pods.filter(
    ({ namespace, labels }) =>
      (namespaceSelector === undefined
        ? namespace === own
        : matches(namespaceSelector, namespaces.get(namespace) ?? {})) && matches(podSelector, labels),
  );
  return found.length === 0 ? [] : [`ip ${side} { ${found.map(({ address }) => address).join(", ")} }`];
}

function portMatches({ ports = [] }: Rule): string[] {
  if (ports.length === 0) return [""];
  return ports.map(({ protocol = "TCP", port }) => {
    if (port === undefined) return `meta l4proto ${protocol.toLowerCase()}`;
    if (typeof port !== "number") throw new Error(`the named port '${port}' is not supported here`);
    return `${protocol.toLowerCase()} dport ${port}`;
  });
}

function matches({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Labels): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      if (operator !== "In") throw new Error(`the operator '${operator}' is not supported here`);
      return values.includes(labels[key] ?? "");
    })
  );
}
