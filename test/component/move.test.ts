import assert from "node:assert/strict";
import { deploy } from "../support/deploy.ts";
import { type PodSpec, podsOf } from "../support/pod-specs.ts";

const prebuilt = { "images:sentinel": "example/sentinel:1", "images:proxy": "example/proxy:1" };
const moving = {
  ...prebuilt,
  "move:source": "10.96.31.7:6380",
  "move:user": "migration",
  "move:passwordSecret": '{"name":"old-redis","key":"redis-password"}',
};

function moveEnvironment(pod: PodSpec | undefined): Record<string, string> {
  const given = pod?.containers[0]?.env.filter(({ name }) => name.startsWith("MOVE_")) ?? [];
  return Object.fromEntries(given.map(({ name, value }) => [name, value]));
}

function moveSecrets(pod: PodSpec | undefined): string[] {
  const sources = pod?.volumes.find(({ name }) => name === "credentials")?.projected?.sources ?? [];
  return sources.flatMap(({ secret }) =>
    secret.items.filter(({ path }) => path.startsWith("move/")).map(({ key }) => `${secret.name}/${key}`),
  );
}

describe("a stack that moves in", function () {
  this.timeout(60_000);

  it("tells instances and proxies whose data they take over, and the password only as a file", async () => {
    const pods = await podsOf(moving);
    const told = {
      MOVE_SOURCE: "10.96.31.7:6380",
      MOVE_USER: "migration",
      MOVE_PASSWORD_FILE: "/etc/redis-ha/credentials/move/password",
    };
    for (const name of ["redis-instance-1", "redis-instance-3", "redis-sentinel-proxy"]) {
      assert.deepEqual(moveEnvironment(pods.get(name)), told, name);
      assert.deepEqual(moveSecrets(pods.get(name)), ["old-redis/redis-password"], name);
    }
    assert.deepEqual(moveEnvironment(pods.get("redis-sentinel-1")), {});
    assert.deepEqual(moveSecrets(pods.get("redis-sentinel-1")), []);
  });

  it("changes no pod that doesn't move in", async () => {
    for (const [name, pod] of await podsOf(prebuilt)) assert.deepEqual(moveEnvironment(pod), {}, name);
  });

  it("opens the network of instances and proxies to that one address and port", async () => {
    const egress = async (config: Record<string, string>, kind: string): Promise<unknown[]> => {
      const { resources } = await deploy(config);
      const policy = resources.find(({ type, name }) => type.endsWith(":NetworkPolicy") && name === kind);
      assert.ok(policy);
      return (policy.inputs.spec as { egress: unknown[] }).egress;
    };
    const opened = {
      to: [{ ipBlock: { cidr: "10.96.31.7/32" } }, { namespaceSelector: {} }],
      ports: [{ protocol: "TCP", port: 6380 }],
    };
    for (const kind of ["redis", "proxy"]) {
      const before = await egress(prebuilt, kind);
      assert.deepEqual(await egress(moving, kind), [...before, opened], kind);
    }
    assert.deepEqual(await egress(moving, "sentinel"), await egress(prebuilt, "sentinel"));
    const six = await egress({ ...moving, "move:source": "[fd00::7]:6379" }, "redis");
    assert.deepEqual((six.at(-1) as { to: unknown[] }).to[0], { ipBlock: { cidr: "fd00::7/128" } });
  });

  for (const [config, expected] of [
    [{ "move:source": "old-redis:6379" }, /'move:source' is old-redis:6379, a name/],
    [{ "move:source": "10.96.31.7" }, /'move:source'.*address:port/s],
    [
      { "move:source": "10.96.31.7:70000" },
      /'move:source' is 10\.96\.31\.7:70000: use an address and a port/,
    ],
    [{ "redis:durability": "sync" }, /'redis:durability' is sync, but a foreign master confirms nothing/],
    [{ "redis:durability": "quorum" }, /'redis:durability' is quorum/],
    [{ "redis:persistence": "off" }, /'redis:persistence' is off/],
    [{ "tls:mode": "all" }, /'tls:mode' is all/],
    [{ "move:passwordSecret": '{"nam":"x"}' }, /'move:passwordSecret'/],
  ] as const) {
    it(`is refused at preview: ${JSON.stringify(config)}`, async () => {
      await assert.rejects(deploy({ ...moving, ...config }), expected);
    });
  }

  it("is refused at preview without a source", async () => {
    await assert.rejects(
      deploy({ ...prebuilt, "move:user": "migration", "move:passwordSecret": '{"name":"old"}' }),
      /'move:user' is set, but not 'move:source'.*'move:passwordSecret' is set, but not/s,
    );
  });
});
