import assert from "node:assert/strict";
import { type NetworkState, renderPolicyRuleset } from "../../../../workshop/cluster/policy-ruleset.ts";

const namespaces = new Map([
  ["shop", { team: "a" }],
  ["db", { team: "b" }],
]);
const pods = [
  { namespace: "db", labels: { app: "redis" }, address: "198.18.0.2" },
  { namespace: "db", labels: { app: "sentinel" }, address: "198.18.0.3" },
  { namespace: "shop", labels: { app: "redis" }, address: "198.18.0.4" },
];
type Policy = NetworkState["policies"][number];

/** The rules of a pod's chain, without the one about itself and the drop at the end. */
function rulesOf(policy: Partial<Policy>, chain: string): string[] | undefined {
  const whole = { namespace: "db", podSelector: {}, policyTypes: ["Ingress", "Egress"], ...policy };
  const text = renderPolicyRuleset({ policies: [whole], pods, namespaces });
  const lines = new RegExp(`chain ${chain} \\{\\n([^}]*(?:\\{[^}]*\\}[^}]*)*)\\n {2}\\}`)
    .exec(text)?.[1]
    ?.split("\n");
  assert.equal(lines?.at(-1)?.trim() ?? "drop", "drop");
  return lines?.map((line) => line.trim()).slice(1, -1);
}

describe("renderPolicyRuleset", () => {
  it("leaves pods alone that no policy selects, and other namespaces", () => {
    const text = renderPolicyRuleset({
      policies: [
        { namespace: "db", podSelector: { matchLabels: { app: "redis" } }, policyTypes: ["Ingress"] },
      ],
      pods,
      namespaces,
    });
    assert.deepEqual(
      [...text.matchAll(/jump (\w+)/g)].map(([, chain]) => chain),
      ["ingress_198_18_0_2"],
    );
  });

  it("denies everything where no rule allows it, but never a pod to itself", () => {
    assert.deepEqual(rulesOf({}, "ingress_198_18_0_2"), []);
    assert.deepEqual(rulesOf({}, "egress_198_18_0_3"), []);
    assert.match(
      renderPolicyRuleset({ policies: [], pods, namespaces }),
      /^table inet .*\ndelete table inet /,
    );
  });

  it("takes a pod selector alone in the policy's own namespace, and both selectors together", () => {
    const redis = { podSelector: { matchLabels: { app: "redis" } } };
    const port = [{ protocol: "TCP", port: 6379 }];
    assert.deepEqual(rulesOf({ ingress: [{ from: [redis], ports: port }] }, "ingress_198_18_0_3"), [
      "ip saddr { 198.18.0.2 } tcp dport 6379 return",
    ]);
    const both = { ...redis, namespaceSelector: { matchLabels: { team: "a" } } };
    assert.deepEqual(rulesOf({ ingress: [{ from: [both], ports: port }] }, "ingress_198_18_0_3"), [
      "ip saddr { 198.18.0.4 } tcp dport 6379 return",
    ]);
    const all = { namespaceSelector: {} };
    assert.deepEqual(rulesOf({ egress: [{ to: [all], ports: port }] }, "egress_198_18_0_3"), [
      "ip daddr { 198.18.0.2, 198.18.0.3, 198.18.0.4 } tcp dport 6379 return",
    ]);
  });

  it("allows nobody when no pod is selected, and everybody when no peer is named", () => {
    const nobody = { podSelector: { matchLabels: { app: "none" } } };
    assert.deepEqual(rulesOf({ ingress: [{ from: [nobody] }] }, "ingress_198_18_0_2"), []);
    assert.deepEqual(rulesOf({ ingress: [{}] }, "ingress_198_18_0_2"), ["return"]);
  });

  it("knows address ranges with exceptions", () => {
    const ipBlock = { cidr: "10.0.0.0/8", except: ["10.1.0.0/16"] };
    assert.deepEqual(rulesOf({ ingress: [{ from: [{ ipBlock }] }] }, "ingress_198_18_0_2"), [
      "ip saddr 10.0.0.0/8 ip saddr != { 10.1.0.0/16 } return",
    ]);
    assert.deepEqual(
      rulesOf({ ingress: [{ from: [{ ipBlock: { cidr: "::/0" } }] }] }, "ingress_198_18_0_2"),
      [],
    );
  });

  it("refuses what it doesn't understand instead of letting it pass", () => {
    assert.throws(() => rulesOf({ ingress: [{ ports: [{ port: "redis" }] }] }, "x"), /named port 'redis'/);
    const unknown = { matchExpressions: [{ key: "app", operator: "NotIn", values: ["x"] }] };
    assert.throws(() => rulesOf({ podSelector: unknown }, "x"), /operator 'NotIn'/);
  });
});
