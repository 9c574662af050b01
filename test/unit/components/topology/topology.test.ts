import assert from "node:assert/strict";
import { clusterSite, localPortCount, localSite, type Site } from "../../../../components/topology/site.ts";
import { describeTopology } from "../../../../components/topology/topology.ts";
import { readProxyEnvironment } from "../../../../proxy/environment.ts";
import { parseQuantity } from "../../../../runtime/quantity.ts";
import { readRedisEnvironment } from "../../../../sentinel-image/conf/redis-environment.ts";
import { resolveSettings } from "../../../../settings/resolve-settings.ts";

const settings = resolveSettings({ "images:push": "false" }, "dev");

const cluster = clusterSite("space");

describe("describeTopology", () => {
  it("gives each part of a cluster its own Service address and volume", () => {
    const { redis, sentinels, proxy } = describeTopology(settings, cluster);
    assert.deepEqual(
      redis.map(({ name, volume, environment }) => [name, volume?.path, environment.REDIS_SELF]),
      [
        ["redis-instance-1", "/data", "svc-redis-instance-1:6379"],
        ["redis-instance-2", "/data", "svc-redis-instance-2:6379"],
        ["redis-instance-3", "/data", "svc-redis-instance-3:6379"],
      ],
    );
    assert.deepEqual(
      sentinels.map(({ name, volume, environment }) => [name, volume?.path, environment.SENTINEL_SVC_IP]),
      [
        ["redis-sentinel-1", "/sentinel-conf-file", "svc-redis-sentinel-1"],
        ["redis-sentinel-2", "/sentinel-conf-file", "svc-redis-sentinel-2"],
        ["redis-sentinel-3", "/sentinel-conf-file", "svc-redis-sentinel-3"],
      ],
    );
    assert.deepEqual([proxy.name, proxy.replicas, proxy.volume], ["redis-sentinel-proxy", 2, undefined]);
  });

  it("tells the proxies the commands that are allowed, and nothing when there are none", () => {
    const of = (config: Record<string, string>) =>
      describeTopology(resolveSettings({ "images:push": "false", ...config }, "dev"), cluster).proxy
        .environment;
    assert.equal(of({}).PROXY_ALLOW_COMMANDS, undefined);
    const allowed = of({ "proxy:allowCommands": "config|set, save" });
    assert.equal(allowed.PROXY_ALLOW_COMMANDS, "config|set,save");
    // What the setting lets through the proxy's own reader takes.
    assert.deepEqual(readProxyEnvironment(allowed).PROXY_ALLOW_COMMANDS, ["config|set", "save"]);
    assert.throws(() => of({ "proxy:allowCommands": "shutdown" }), /proxy:allowCommands.*config\|set/s);
  });

  it("lets proxies take clients for a while after their end was asked for, where a Service sends them some", () => {
    const of = (config: Record<string, string>, site: Site) => {
      const { proxy, redis } = describeTopology(
        resolveSettings({ "images:push": "false", ...config }, "dev"),
        site,
      );
      const { PROXY_STOP_DELAY_MS, PROXY_DRAIN_TIMEOUT_MS } = readProxyEnvironment(proxy.environment);
      const least = (PROXY_STOP_DELAY_MS + PROXY_DRAIN_TIMEOUT_MS) / 1000;
      assert.ok(proxy.graceSeconds > least + 10, "nobody is killed who is still draining");
      assert.equal(redis[0]?.graceSeconds, 60);
      return PROXY_STOP_DELAY_MS;
    };
    assert.equal(of({}, cluster), 5000);
    assert.equal(of({ "proxy:stopDelaySeconds": "200" }, cluster), 200_000);
    assert.equal(of({}, localSite({ basePort: 1, directory: "/tmp" })), 0);
  });

  it("tells the proxies when a write is acknowledged, and how many replicas there are", () => {
    const of = (config: Record<string, string>) =>
      readProxyEnvironment(
        describeTopology(resolveSettings({ "images:push": "false", ...config }, "dev"), cluster).proxy
          .environment,
      );
    assert.equal(of({}).PROXY_DURABILITY, "async");
    const sync = of({
      "redis:durability": "sync",
      "redis:instances": "5",
      "proxy:durabilityTimeoutMs": "700",
    });
    assert.equal(sync.PROXY_DURABILITY, "sync");
    assert.equal(sync.PROXY_DURABILITY_REPLICAS, 4);
    assert.equal(sync.PROXY_DURABILITY_TIMEOUT_MS, 700);
  });

  it("tells the instances only of redis:durability quorum: the other modes are the proxies' alone", () => {
    const of = (durability: string) =>
      describeTopology(
        resolveSettings({ "images:push": "false", "redis:durability": durability }, "dev"),
        cluster,
      ).redis.map(({ environment }) => readRedisEnvironment(environment).REDIS_DURABILITY);
    assert.deepEqual(of("sync"), of("async"));
    assert.deepEqual(of("quorum"), ["quorum", "quorum", "quorum"]);
  });

  it("honours the environment contract of the Sentinel image", () => {
    const [first] = describeTopology(settings, cluster).sentinels;
    const contract = {
      SENTINEL_QUORUM: "2",
      SENTINEL_DOWN_AFTER: "1000",
      SENTINEL_FAILOVER: "6000",
      REDIS_MASTER: "svc-redis-instance-1:6379",
      BIND_ADDR: "0.0.0.0",
      SENTINEL_SVC_IP: "svc-redis-sentinel-1",
      SENTINEL_SVC_PORT: "26379",
      SENTINEL_RESOLVE_HOSTNAMES: "yes",
      SENTINEL_ANNOUNCE_HOSTNAMES: "yes",
      SENTINEL_CONFIG_FILE_DIR: "/sentinel-conf-file",
    };
    assert.deepEqual({ ...first?.environment, ...contract }, first?.environment);
  });

  it("lets a changed quorum reach the Sentinels alone", () => {
    const before = describeTopology(settings, cluster);
    const after = describeTopology({ ...settings, sentinel: { ...settings.sentinel, quorum: 3 } }, cluster);
    assert.deepEqual(after.redis, before.redis);
    assert.deepEqual(after.proxy, before.proxy);
    assert.deepEqual(
      after.sentinels.map(({ environment }) => environment.SENTINEL_QUORUM),
      ["3", "3", "3"],
    );
  });

  it("never puts two parts of a local topology on one port", () => {
    const largest = resolveSettings(
      { "images:push": "false", "redis:instances": "9", "sentinel:count": "9" },
      "local",
    );
    const site = localSite({ basePort: 7000, directory: "/tmp/x" });
    const { redis, sentinels, proxy } = describeTopology(largest, site);
    const taken = [...redis, ...sentinels, proxy].flatMap(({ ports }) => ports.map(({ port }) => port));
    assert.equal(taken.length, 9 * 2 + 9 + 3);
    assert.equal(new Set(taken).size, taken.length);
    assert.ok(taken.every((port) => port >= 7000 && port < 7000 + localPortCount));
  });

  it("opens no Sentinel port on the proxy when its API is switched off", () => {
    const { proxy } = describeTopology(
      { ...settings, proxy: { ...settings.proxy, sentinelApi: false } },
      cluster,
    );
    assert.deepEqual(
      proxy.ports.map(({ name }) => name),
      ["redis", "admin"],
    );
    assert.equal(proxy.environment.PROXY_SENTINEL_PORT, undefined);
  });

  it("lets the proxy announce where clients reach it, in a cluster from every namespace", () => {
    const announced = (site: Site): string | undefined =>
      describeTopology(settings, site).proxy.environment.PROXY_ANNOUNCE;
    assert.equal(announced(clusterSite("prod")), "svc-redis-sentinel-proxy.prod.svc:6379");
    assert.equal(announced(localSite({ basePort: 7000, directory: "/tmp/x" })), "127.0.0.1:7000");
  });

  it("keeps maxmemory well below the pod's limit", () => {
    for (const memory of ["128Mi", "256Mi", "8Gi"]) {
      const [first] = describeTopology({ ...settings, redis: { ...settings.redis, memory } }, cluster).redis;
      const share = Number(first?.environment.REDIS_MAXMEMORY) / (parseQuantity(memory) ?? Number.NaN);
      assert.ok(share > 0.15 && share < 0.66, `${memory}: ${share}`);
    }
  });
});

describe("parseQuantity", () => {
  it("reads what Kubernetes reads", () => {
    assert.equal(parseQuantity("1Gi"), 1_073_741_824);
    assert.equal(parseQuantity("1.5Ki"), 1536);
    assert.equal(parseQuantity("500M"), 500_000_000);
    assert.equal(parseQuantity("42"), 42);
  });

  it("refuses everything else", () => {
    for (const text of ["", "1x", "-1Gi", "Gi", "1 Gi", "1e3", "0", "0Gi", "99999999Pi"]) {
      assert.equal(parseQuantity(text), undefined, text);
    }
  });
});
