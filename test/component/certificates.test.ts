import assert from "node:assert/strict";
import { type Deployment, deploy, mockKey, type Registration } from "../support/deploy.ts";

const prebuilt = { "images:sentinel": "example/sentinel:1", "images:proxy": "example/proxy:1" };

interface Pod {
  readonly containers: [{ readonly env: { name: string; value: string }[] }];
  readonly volumes: { readonly name: string; readonly secret?: { readonly secretName: string } }[];
}

function pods({ resources }: Deployment): Map<string, Pod> {
  return new Map(
    resources
      .filter(({ type }) => type.endsWith(":Deployment"))
      .map(({ name, inputs }) => [name, (inputs.spec as { template: { spec: Pod } }).template.spec]),
  );
}

/** The Secret with the certificate that a pod mounts. */
function mounted(deployment: Deployment, name: string): string | undefined {
  const volume = pods(deployment)
    .get(name)
    ?.volumes.find((candidate) => candidate.name === "tls");
  return volume?.secret?.secretName;
}

function setting(deployment: Deployment, name: string, variable: string): string | undefined {
  return pods(deployment)
    .get(name)
    ?.containers[0].env.find((item) => item.name === variable)?.value;
}

function ofTls({ resources }: Deployment): Registration[] {
  return resources.filter(({ type }) => type.startsWith("tls:"));
}

describe("certificates", function () {
  this.timeout(30_000);

  it("are not made without TLS", async () => {
    const off = await deploy({ ...prebuilt });
    assert.deepEqual(ofTls(off), []);
    assert.deepEqual([...pods(off).keys()].map((name) => mounted(off, name)).filter(Boolean), []);
    assert.match(String(off.outputs.connectionString), /^redis:/);
  });

  it("are the proxies' alone between clients and proxies", async () => {
    const clients = await deploy({ ...prebuilt, "tls:mode": "clients" });
    assert.equal(mounted(clients, "proxy"), "tls-proxy-1a2b3c4d");
    assert.equal(mounted(clients, "redis-instance-1"), undefined);
    assert.equal(setting(clients, "proxy", "PROXY_TLS_DIR"), "/etc/redis-ha/tls");
    assert.equal(setting(clients, "proxy", "REDIS_TLS_DIR"), undefined);
    assert.match(String(clients.outputs.connectionString), /^rediss:/);
    assert.match(String(clients.outputs.caCertificate), /certificate of authority-1\n.*authority-2/);
  });

  it("are everybody's in mode all, one key for the servers and one for the proxies", async () => {
    const all = await deploy({
      ...prebuilt,
      "tls:mode": "all",
      "tls:hostnames": "redis.example.com,10.1.2.3",
    });
    assert.equal(mounted(all, "proxy"), "tls-proxy-1a2b3c4d");
    for (const name of ["redis-instance-1", "redis-sentinel-3"]) {
      assert.equal(mounted(all, name), "tls-server-1a2b3c4d");
      assert.equal(setting(all, name, "REDIS_TLS_DIR"), "/etc/redis-ha/tls");
      assert.equal(setting(all, name, "REDIS_TLS_AUTH_CLIENTS"), "yes");
    }
    const request = (name: string): { dnsNames: string[]; ipAddresses: string[] } =>
      all.resources.find((resource) => resource.name === name)?.inputs as never;
    assert.ok(request("server-request").dnsNames.includes("svc-redis-instance-2"));
    assert.ok(request("proxy-request").dnsNames.includes("svc-redis-sentinel-proxy.redis-ha-test.svc"));
    assert.ok(request("proxy-request").dnsNames.includes("redis.example.com"));
    assert.deepEqual(request("proxy-request").ipAddresses, ["127.0.0.1", "10.1.2.3"]);
    assert.ok(!request("server-request").dnsNames.includes("redis.example.com"));
  });

  it("have their keys in Secrets and nowhere else", async () => {
    const all = await deploy({ ...prebuilt, "tls:mode": "all" });
    const leaks = all.resources.filter(
      ({ type, inputs }) => !type.startsWith("tls:") && JSON.stringify(inputs).includes(mockKey),
    );
    assert.deepEqual([...new Set(leaks.map(({ type }) => type))], ["kubernetes:core/v1:Secret"]);
    // Clients trust the authority: whoever had its key could be anybody.
    assert.ok(!JSON.stringify(leaks).includes("of authority-key"));
    assert.ok(!JSON.stringify(all.outputs).includes(mockKey));
  });

  it("don't ask for a certificate of clients who talk to the servers themselves", async () => {
    const direct = await deploy({ ...prebuilt, "tls:mode": "all", "proxy:sentinelApi": "false" });
    assert.equal(setting(direct, "redis-instance-1", "REDIS_TLS_AUTH_CLIENTS"), "no");
  });

  it("change with the generation; Redis and the proxies take them while they run", async () => {
    const [before, after] = [
      await deploy({ ...prebuilt, "tls:mode": "all" }),
      await deploy({ ...prebuilt, "tls:mode": "all", "tls:generation": "2" }),
    ];
    const restarted = [...pods(after).keys()].filter((name) => {
      const text = ({ resources }: Deployment): string =>
        JSON.stringify(
          resources.find((resource) => resource.name === name && resource.type.endsWith(":Deployment")),
        );
      return text(before) !== text(after);
    });
    assert.deepEqual(restarted.sort(), ["redis-sentinel-1", "redis-sentinel-2", "redis-sentinel-3"]);
    assert.match(String(after.outputs.caCertificate), /authority-1\n.*authority-2\n.*authority-3\n/);
  });

  it("may be given, or asked of cert-manager", async () => {
    const given = await deploy({ ...prebuilt, "tls:mode": "all", "tls:secret": "our-tls" });
    assert.deepEqual(ofTls(given), []);
    assert.equal(mounted(given, "redis-instance-1"), "our-tls");
    assert.equal(mounted(given, "proxy"), "our-tls");
    const managed = await deploy({ ...prebuilt, "tls:mode": "all", "tls:issuer": "ClusterIssuer/internal" });
    assert.deepEqual(ofTls(managed), []);
    assert.equal(mounted(managed, "redis-instance-1"), "redis-ha-tls-server");
    const requests = managed.resources.filter(({ type }) => type.includes("cert-manager.io"));
    assert.deepEqual(
      requests.map(({ inputs }) => (inputs.spec as { issuerRef: object }).issuerRef),
      [1, 2].map(() => ({ group: "cert-manager.io", kind: "ClusterIssuer", name: "internal" })),
    );
    await assert.rejects(
      deploy({ ...prebuilt, "tls:secret": "a", "tls:issuer": "Issuer/b" }),
      /'tls:secret' and 'tls:issuer' both say/,
    );
  });
});
