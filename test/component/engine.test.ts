import assert from "node:assert/strict";
import { baseOf } from "../../components/images.ts";
import { clusterSite } from "../../components/topology/site.ts";
import { describeTopology } from "../../components/topology/topology.ts";
import { readRedisEnvironment } from "../../sentinel-image/conf/redis-environment.ts";
import { readSentinelEnvironment } from "../../sentinel-image/conf/sentinel-environment.ts";
import { resolveSettings } from "../../settings/resolve-settings.ts";
import { deploy } from "../support/deploy.ts";

const prebuilt = { "images:sentinel": "example/sentinel:1", "images:proxy": "example/proxy:1" };

interface PodSpec {
  readonly containers: readonly { readonly env: readonly { name: string; value: string }[] }[];
}

const topologyOf = (config: Record<string, string>) =>
  describeTopology(resolveSettings({ "images:push": "false", ...config }, "dev"), clusterSite("space"));

describe("images:engine", () => {
  it("tells Redis and the Sentinels whose server they run, and nothing to those of a stack from before", () => {
    const { redis, sentinels } = topologyOf({ "images:engine": "valkey" });
    for (const { environment } of redis)
      assert.equal(readRedisEnvironment(environment).REDIS_ENGINE, "valkey");
    for (const { environment } of sentinels)
      assert.equal(readSentinelEnvironment(environment).REDIS_ENGINE, "valkey");
    for (const { environment } of [...topologyOf({}).redis, ...topologyOf({}).sentinels])
      assert.ok(!("REDIS_ENGINE" in environment));
  });

  it("builds on the pinned base of Valkey, unless another one is named", () => {
    const of = (engine: "redis" | "valkey", redisBase?: string) =>
      baseOf({ engine, redisBase }, "sentinel-image");
    assert.match(of("valkey") ?? "", /^valkey\/valkey:\d+\.\d+\.\d+-trixie$/);
    assert.equal(of("valkey", "valkey/valkey:8.1.10"), "valkey/valkey:8.1.10");
    assert.equal(of("redis"), undefined);
    assert.equal(of("redis", "redis:8.10.2"), "redis:8.10.2");
  });
});

describe("redis:modules", function () {
  this.timeout(60_000);
  it("reach Redis, and no Sentinel or proxy", () => {
    const { redis, sentinels, proxy } = topologyOf({ "redis:modules": "bundled, /mnt/own.so" });
    for (const { environment } of redis)
      assert.deepEqual(readRedisEnvironment(environment).REDIS_MODULES, ["bundled", "/mnt/own.so"]);
    for (const { environment } of [...sentinels, proxy]) assert.ok(!("REDIS_MODULES" in environment));
    assert.throws(() => topologyOf({ "redis:modules": "rejson.so" }), /redis:modules.*absolute paths/);
  });

  it("are loaded by the image before any pod is touched, but for those on volumes", async () => {
    const { resources } = await deploy({
      ...prebuilt,
      "redis:modules": "bundled,/opt/own.so,/mnt/modules/other.so",
      "redis:extraVolumes": '[{"name":"modules","emptyDir":{}}]',
      "redis:extraMounts": '[{"name":"modules","mountPath":"/mnt/modules"}]',
    });
    const job = resources.find(({ type }) => type.endsWith(":Job"));
    const { template } = (job?.inputs.spec ?? {}) as { template?: { spec: PodSpec } };
    const [container] = template?.spec.containers ?? [];
    const env = new Map(container?.env?.map(({ name, value }) => [name, value]));
    assert.equal(env.get("REDIS_MODULES"), "/usr/local/lib/redis/modules/*.so /opt/own.so");
  });
});
