import assert from "node:assert/strict";
import { readRedisEnvironment } from "../../sentinel-image/conf/redis-environment.ts";
import { deploy } from "../support/deploy.ts";

const prebuilt = { "images:sentinel": "example/sentinel:1", "images:proxy": "example/proxy:1" };

interface PodSpec {
  readonly containers: readonly {
    readonly env: readonly { readonly name: string; readonly value: string }[];
    readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  }[];
  readonly volumes: readonly { readonly name: string; readonly [kind: string]: unknown }[];
}

describe("redis:persistence off", () => {
  it("makes no claims for Redis, a bounded scratch directory in each pod, and keeps the Sentinels' claims", async () => {
    const { resources } = await deploy({ ...prebuilt, "redis:persistence": "off" });
    const named = (type: string) =>
      resources.filter((one) => one.type.endsWith(type)).map(({ name }) => name);
    assert.deepEqual(named(":PersistentVolumeClaim").toSorted(), [
      "redis-sentinel-1",
      "redis-sentinel-2",
      "redis-sentinel-3",
    ]);
    const redis = resources.filter(
      ({ type, name }) => type.endsWith(":Deployment") && name.startsWith("redis-instance"),
    );
    assert.equal(redis.length, 3);
    for (const { inputs } of redis) {
      const { strategy, template } = inputs.spec as {
        strategy: { type: string };
        template: { spec: PodSpec };
      };
      assert.equal(strategy.type, "Recreate");
      const [container] = template.spec.containers;
      const state = template.spec.volumes.filter(({ name }) => name === "state");
      assert.deepEqual(state, [{ name: "state", emptyDir: { sizeLimit: "256Mi" } }]);
      assert.deepEqual(
        container?.volumeMounts.filter(({ name }) => name === "state"),
        [{ name: "state", mountPath: "/data" }],
      );
      const environment = readRedisEnvironment(
        Object.fromEntries(container?.env.map(({ name, value }) => [name, value]) ?? []),
      );
      assert.equal(environment.REDIS_PERSISTENCE, "off");
      // Never where one that keeps its data has them.
      assert.equal(environment.REDIS_DATA_DIR, "/data/volatile");
    }
  });
});

describe("a set of one Redis and one proxy", () => {
  it("is the same objects, fewer of them, and lets a drain take the pod", async () => {
    const { resources } = await deploy({ ...prebuilt, "redis:instances": "1", "proxy:replicas": "1" });
    const budget = resources.find(
      ({ type, name }) => type.endsWith(":PodDisruptionBudget") && name === "redis",
    );
    assert.ok(budget);
    assert.equal((budget.inputs.spec as { minAvailable: number }).minAvailable, 0);
    const deployments = resources.filter(({ type }) => type.endsWith(":Deployment")).map(({ name }) => name);
    assert.deepEqual(deployments, [
      ...["redis-sentinel-1", "redis-sentinel-2", "redis-sentinel-3"],
      ...["redis-instance-1", "proxy"],
    ]);
  });
});
