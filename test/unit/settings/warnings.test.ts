import assert from "node:assert/strict";
import { neededReplicas } from "../../../sentinel-image/conf/needed-replicas.ts";
import { resolveSettings } from "../../../settings/resolve-settings.ts";
import { warningsOf } from "../../../settings/warnings.ts";

const settingsOf = (config: Record<string, string>) =>
  resolveSettings({ "images:push": "false", ...config }, "dev");

describe("warningsOf", () => {
  for (const [config, expected] of [
    [{}, []],
    [{ "redis:instances": "4", "proxy:replicas": "3" }, []],
    [{ "redis:instances": "1" }, [/nobody takes over/]],
    [{ "redis:instances": "2", "proxy:replicas": "1" }, [/no second copy/, /all clients lose/]],
    [{ "redis:persistence": "off" }, [/comes back empty/]],
  ] as const) {
    it(`has ${expected.length} for ${JSON.stringify(config)}`, () => {
      const warnings = warningsOf(settingsOf(config));
      assert.equal(warnings.length, expected.length, warnings.join("\n"));
      expected.forEach((pattern, i) => {
        assert.match(warnings[i] ?? "", pattern);
      });
    });
  }
});

describe("small and even sets", () => {
  const refusals: readonly (readonly [Record<string, string>, RegExp])[] = [
    [{ "redis:instances": "1", "redis:durability": "sync" }, /redis:durability.*no replica to confirm/],
    [{ "redis:persistence": "off", "redis:durability": "quorum" }, /redis:durability.*forgotten/],
    [{ "redis:persistence": "off", "redis:fsync": "always" }, /redis:fsync.*nothing is written/],
    [
      { "redis:persistence": "off", "redis:storageClass": "fast" },
      /redis:storageClass.*no.*volumes|there are none/,
    ],
    [
      { "redis:instances": "2", "sentinel:parallelSyncs": "2" },
      /2 Redis instances have 1 replicas: use 1, or/,
    ],
  ];
  for (const [config, message] of refusals) {
    it(`refuse ${JSON.stringify(config)}`, () => {
      assert.throws(() => settingsOf(config), message);
    });
  }

  it("have a Sentinel's smallest number of parallel syncs, and that alone", () => {
    for (const [instances, syncs] of [
      ["1", 1],
      ["2", 1],
      ["4", 3],
    ] as const)
      assert.equal(settingsOf({ "redis:instances": instances }).sentinel.parallelSyncs, syncs);
  });

  it("need no replica to take writes when the loss of one would stop both, and a majority where that is promised", () => {
    assert.deepEqual(
      [1, 2, 3, 4, 5].map((count) => neededReplicas(count, false)),
      [0, 0, 1, 1, 1],
    );
    assert.deepEqual(
      [2, 3, 4, 5].map((count) => neededReplicas(count, true)),
      [1, 1, 2, 2],
    );
  });
});
