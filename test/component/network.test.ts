import assert from "node:assert/strict";
import { type Deployment, deploy } from "../support/deploy.ts";
import { type End, mayConnect, type Policy } from "../support/network-reach.ts";

const prebuilt = { "images:sentinel": "example/sentinel:1", "images:proxy": "example/proxy:1" };
const namespace = "redis-ha-test";

interface PodOwner {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly template: {
      readonly metadata: { readonly labels: Record<string, string> };
      readonly spec: { readonly containers: { readonly ports: { readonly containerPort: number }[] }[] };
    };
  };
}

function policiesOf({ resources }: Deployment): Policy[] {
  return resources
    .filter(({ type }) => type.endsWith(":NetworkPolicy"))
    .map(({ inputs }) => inputs as unknown as Policy);
}

/** The pods of the stack, as the labels of the Deployments make them, with the ports that they open. */
function podsOf({ resources }: Deployment): Map<string, { end: End; ports: number[] }> {
  return new Map(
    resources
      .filter(({ type }) => type.endsWith(":Deployment"))
      .map(({ inputs }) => {
        const { metadata, spec } = inputs as unknown as PodOwner;
        const ports = spec.template.spec.containers.flatMap((container) =>
          container.ports.map(({ containerPort }) => containerPort),
        );
        return [metadata.name, { end: { namespace, labels: spec.template.metadata.labels }, ports }];
      }),
  );
}

const strangers: Readonly<Record<string, End>> = {
  "application in the namespace": { namespace, labels: { app: "shop" }, address: "10.1.0.5" },
  "application elsewhere": { namespace: "shop", labels: { app: "shop" }, address: "10.1.0.6" },
  "pod of another stack": {
    namespace: "redis-ha-other",
    labels: { "app.kubernetes.io/name": "redis-ha", "app.kubernetes.io/component": "sentinel" },
    address: "10.1.0.7",
  },
  "metrics collector": { namespace: "monitoring", labels: {}, address: "10.1.0.8" },
  "address outside": { address: "203.0.113.9" },
};

/** Who may reach what: `from → to:port`, each kind named once. */
async function reach(config: Record<string, string>): Promise<string[]> {
  const deployment = await deploy({ ...prebuilt, ...config });
  const policies = policiesOf(deployment);
  const pods = podsOf(deployment);
  const ends = new Map([
    ...[...pods].map(([name, { end }]) => [name, end] as const),
    ...Object.entries(strangers),
  ]);
  const found = new Set<string>();
  for (const [from, end] of ends) {
    for (const [to, target] of pods) {
      for (const port of [...target.ports, 22]) {
        if (mayConnect(policies, end, target.end, port)) found.add(`${kind(from)} → ${kind(to)}:${port}`);
      }
    }
    for (const to of Object.keys(strangers)) {
      const target = strangers[to];
      if (pods.has(from) && target && mayConnect(policies, end, target, 443))
        found.add(`${kind(from)} → ${to}`);
    }
  }
  return [...found].sort();
}

function kind(name: string): string {
  return name.replace(/^redis-(instance|sentinel)-\d$/, "$1").replace(/^redis-sentinel-proxy$/, "proxy");
}

const inside = [
  "instance → instance:6379",
  "instance → sentinel:26379",
  "proxy → instance:6379",
  "proxy → sentinel:26379",
  "sentinel → instance:6379",
  "sentinel → sentinel:26379",
];
const pods = [
  "application elsewhere",
  "application in the namespace",
  "metrics collector",
  "pod of another stack",
];
function toProxy(from: readonly string[]): string[] {
  return from.flatMap((name) => [`${name} → proxy:26379`, `${name} → proxy:6379`]);
}

describe("the network policies", function () {
  this.timeout(30_000);

  it("let every pod of the cluster reach the proxies, nobody else Redis and the Sentinels, and nothing leave", async () => {
    assert.deepEqual(await reach({}), [...inside, ...toProxy(pods)].sort());
  });

  it("let a selected client in, and no other", async () => {
    const config = { "network:clientNamespaces": "shop, billing", "network:clientSelector": "app=shop" };
    assert.deepEqual(await reach(config), [...inside, ...toProxy(["application elsewhere"])].sort());
    const nobody = { ...config, "network:clientSelector": "app=shop,tier=web" };
    assert.deepEqual(await reach(nobody), inside);
  });

  it("let everybody reach an endpoint that is made for clients outside, or only the given addresses", async () => {
    for (const type of ["LoadBalancer", "NodePort"]) {
      const config = { "proxy:serviceType": type };
      assert.deepEqual(await reach(config), [...inside, ...toProxy([...pods, "address outside"])].sort());
      const given = { ...config, "network:clientCidrs": "198.51.100.0/24,2001:db8::/32" };
      assert.deepEqual(await reach(given), [...inside, ...toProxy(pods)].sort());
      const hit = { ...config, "network:clientCidrs": "203.0.113.0/24", "network:clientNamespaces": "shop" };
      const expected = [...inside, ...toProxy(["application elsewhere", "address outside"])];
      assert.deepEqual(await reach(hit), expected.sort());
    }
  });

  it("let Sentinel clients reach the real Sentinels and Redis when the proxy isn't their Sentinel", async () => {
    const client = ["application elsewhere"].flatMap((name) => [
      `${name} → instance:6379`,
      `${name} → proxy:6379`,
      `${name} → sentinel:26379`,
    ]);
    const config = { "proxy:sentinelApi": "false", "network:clientNamespaces": "shop" };
    assert.deepEqual(await reach(config), [...inside, ...client].sort());
  });

  it("open the metrics port to the given namespaces alone", async () => {
    const expected = ["metrics collector → instance:8080", "metrics collector → proxy:8080"];
    const config = { "network:metricsNamespaces": "monitoring", "network:clientNamespaces": "shop" };
    assert.deepEqual(
      await reach(config),
      [...inside, ...toProxy(["application elsewhere"]), ...expected].sort(),
    );
  });

  it("are left out on demand", async () => {
    const { resources } = await deploy({ ...prebuilt, "network:policies": "false" });
    assert.deepEqual(
      resources.filter(({ type }) => type.endsWith(":NetworkPolicy")),
      [],
    );
  });

  it("don't touch the other pods of the namespace", async () => {
    const policies = policiesOf(await deploy(prebuilt));
    const [application, elsewhere] = [
      strangers["application in the namespace"],
      strangers["application elsewhere"],
    ];
    assert.ok(application && elsewhere);
    assert.equal(policies.length, 4);
    assert.ok(mayConnect(policies, application, { address: "203.0.113.9" }, 443));
    assert.ok(mayConnect(policies, elsewhere, application, 8000));
  });
});
