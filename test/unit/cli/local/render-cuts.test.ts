import assert from "node:assert/strict";
import { betweenHosts, renderCuts } from "../../../../cli/local/render-cuts.ts";

describe("renderCuts", () => {
  it("empties the rules when nothing is cut: what was cut heals", () => {
    assert.match(renderCuts([]), /^flush ruleset\n/);
    assert.doesNotMatch(renderCuts([]), /drop|reject/);
  });

  it("cuts one way, and leaves the way back", () => {
    const rules = renderCuts([{ from: "10.0.0.1", to: "10.0.0.2", damage: { kind: "drop" } }]);
    assert.match(rules, /^ip saddr 10\.0\.0\.1 ip daddr 10\.0\.0\.2 drop$/m);
    assert.doesNotMatch(rules, /saddr 10\.0\.0\.2/);
  });

  it("resets TCP, and drops what can't be reset", () => {
    const rules = renderCuts([{ from: "a", to: "b", damage: { kind: "reset" } }]).split("\n");
    const reset = rules.findIndex((rule) => rule.endsWith("reject with tcp reset"));
    assert.ok(reset >= 0 && reset < rules.indexOf("ip saddr a ip daddr b drop"));
  });

  it("loses a share of the packets", () => {
    const rules = renderCuts([{ from: "a", to: "b", damage: { kind: "loss", percent: 5 } }]);
    assert.match(rules, /numgen random mod 100 < 5 drop/);
  });
});

describe("betweenHosts", () => {
  it("cuts both ways between each of some and each of others, and none among them", () => {
    const cuts = betweenHosts(["a", "b"], ["c"], { kind: "drop" });
    assert.deepEqual(
      cuts.map(({ from, to }) => from + to),
      ["ac", "ca", "bc", "cb"],
    );
  });
});
