import assert from "node:assert/strict";
import { resourceRules, stackRules } from "../../policy/all-rules.ts";
import { deploy } from "../support/deploy.ts";

const configurations: Readonly<Record<string, Record<string, string>>> = {
  "as it is": {},
  "of five and five": { "redis:instances": "5", "sentinel:count": "5", "proxy:replicas": "3" },
  "with one proxy for clients outside": { "proxy:replicas": "1", "proxy:serviceType": "LoadBalancer" },
  "without the proxy's Sentinel API": { "proxy:sentinelApi": "false" },
  "with lines for redis.conf": { "redis:extraConfig": "slowlog-log-slower-than 5000" },
};

describe("the program under the policy pack", function () {
  this.timeout(30_000);

  for (const [name, config] of Object.entries(configurations)) {
    it(`keeps to every rule ${name}`, async () => {
      const { resources } = await deploy({ "images:registry": "registry.example.com/redis-ha", ...config });
      const stack = resources.map(({ type, name: resource, inputs }) => ({
        type,
        name: resource,
        props: inputs,
      }));
      const violations = [
        ...stack.flatMap((resource) =>
          resourceRules.flatMap((rule) =>
            rule.check(resource).map((text) => `${rule.name}: ${resource.name}: ${text}`),
          ),
        ),
        ...stackRules.flatMap((rule) =>
          rule.check(stack).map(({ resource, message }) => `${rule.name}: ${resource.name}: ${message}`),
        ),
      ];
      assert.deepEqual(violations, []);
    });
  }

  it("is seen by the rules: what is left out on demand is told", async () => {
    const { resources } = await deploy({
      "images:registry": "registry.example.com/redis-ha",
      "network:policies": "false",
    });
    const stack = resources.map(({ type, name, inputs }) => ({ type, name, props: inputs }));
    const told = stackRules.flatMap((rule) => rule.check(stack).map(({ resource }) => resource.name));
    assert.equal(new Set(told).size, 7);
  });
});
