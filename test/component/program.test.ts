import assert from "node:assert/strict";
import { fixedNames } from "../../components/ownership/fixed-names.ts";
import { clusterNames, clusterSite } from "../../components/topology/site.ts";
import { describeTopology } from "../../components/topology/topology.ts";
import { derivePassword } from "../../runtime/access/passwords.ts";
import { resolveSettings } from "../../settings/resolve-settings.ts";
import {
  type Deployment,
  deploy,
  mockInstallation,
  mockPassword,
  type Registration,
} from "../support/deploy.ts";

const registry = { "images:registry": "registry.example.com/redis-ha" };
const prebuilt = { "images:sentinel": "example/sentinel:1", "images:proxy": "example/proxy:1" };

interface Container {
  readonly image: string;
  readonly env: { readonly name: string; readonly value: string }[];
  readonly securityContext: unknown;
  readonly resources: unknown;
  readonly volumeMounts: { readonly name: string; readonly mountPath: string }[];
}
interface PodSpec {
  readonly containers: [Container];
  readonly hostAliases: { readonly ip: string; readonly hostnames: string[] }[];
  readonly [field: string]: unknown;
}

function ofType(deployment: Deployment, type: string): Registration[] {
  return deployment.resources.filter((resource) => resource.type.endsWith(`:${type}`));
}

function physicalNames(resources: Registration[]): unknown[] {
  return resources.map(({ inputs }) => (inputs.metadata as { name?: string }).name).sort();
}

function podSpecs(deployment: Deployment): Map<string, PodSpec> {
  return new Map(
    ofType(deployment, "Deployment").map(({ inputs }) => {
      const spec = inputs.spec as { template: { spec: PodSpec } };
      return [String((inputs.metadata as { name: string }).name), spec.template.spec];
    }),
  );
}

describe("the program", function () {
  this.timeout(30_000);
  let standard: Deployment;

  before(async () => {
    standard = await deploy({ ...registry });
  });

  it("makes exactly the objects of three Redis, three Sentinels and the proxies", () => {
    const counts: Record<string, number> = {};
    for (const { type } of standard.resources) counts[type] = (counts[type] ?? 0) + 1;
    assert.deepEqual(counts, {
      "docker:index/image:Image": 2,
      "kubernetes:apps/v1:Deployment": 7,
      "kubernetes:core/v1:Namespace": 1,
      "kubernetes:core/v1:PersistentVolumeClaim": 6,
      "kubernetes:core/v1:Secret": 10,
      "kubernetes:core/v1:Service": 8,
      "kubernetes:networking.k8s.io/v1:NetworkPolicy": 4,
      "kubernetes:policy/v1:PodDisruptionBudget": 3,
      "pulumi:providers:kubernetes": 2,
      "random:index/randomPassword:RandomPassword": 2,
      "random:index/randomUuid:RandomUuid": 1,
      "redis-ha:index:Addresses": 1,
      "redis-ha:index:Certificates": 1,
      "redis-ha:index:Credentials": 1,
      "redis-ha:index:Instances": 2,
      "redis-ha:index:NetworkPolicies": 1,
      "redis-ha:index:RedisHa": 1,
      "redis-ha:index:SentinelProxy": 1,
      "redis-ha:index:Volumes": 1,
    });
    assert.deepEqual(physicalNames(ofType(standard, "Service")), [
      "svc-redis-instance-1",
      "svc-redis-instance-2",
      "svc-redis-instance-3",
      "svc-redis-sentinel-1",
      "svc-redis-sentinel-2",
      "svc-redis-sentinel-3",
      "svc-redis-sentinel-instances",
      "svc-redis-sentinel-proxy",
    ]);
    assert.deepEqual(physicalNames(ofType(standard, "Deployment")), [
      "redis-instance-1",
      "redis-instance-2",
      "redis-instance-3",
      "redis-sentinel-1",
      "redis-sentinel-2",
      "redis-sentinel-3",
      "redis-sentinel-proxy",
    ]);
  });

  it("exports what other stacks consume, and only passwords as secrets", () => {
    const password = derivePassword(mockPassword, "default");
    const connectionString = `redis://:${password}@svc-redis-sentinel-proxy.redis-ha-test.svc:6379`;
    assert.deepEqual(standard.outputs, {
      proxyEndpoint: "svc-redis-sentinel-proxy.redis-ha-test.svc:6379",
      proxyHost: "svc-redis-sentinel-proxy.redis-ha-test.svc",
      proxyPort: 6379,
      externalEndpoint: "",
      sentinelEndpoint: "svc-redis-sentinel-proxy.redis-ha-test.svc:26379",
      masterName: "redis-ha-test",
      namespace: "redis-ha-test",
      credentialsSecret: "credentials-default-1a2b3c4d",
      exporterSecret: "password-exporter-1a2b3c4d",
      password,
      connectionString,
      caCertificate: undefined,
      users: { default: { password, secretName: "credentials-default-1a2b3c4d", connectionString } },
    });
    assert.deepEqual([...standard.secretOutputs].sort(), ["connectionString", "password", "users"]);
  });

  it("runs the images by digest", () => {
    const images = [...podSpecs(standard).values()].map(({ containers }) => containers[0].image);
    assert.equal(images.length, 7);
    for (const image of images) {
      assert.match(
        image,
        /^registry\.example\.com\/redis-ha\/redis-ha-(sentinel|proxy)@sha256:[0-9a-f]{64}$/,
      );
    }
  });

  it("gives every pod the restricted security settings", () => {
    for (const [name, spec] of podSpecs(standard)) {
      const { containers, automountServiceAccountToken, enableServiceLinks, securityContext } = spec;
      assert.deepEqual(
        { automountServiceAccountToken, enableServiceLinks, securityContext },
        {
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 65532,
            runAsGroup: 65532,
            fsGroup: 65532,
            fsGroupChangePolicy: "OnRootMismatch",
            seccompProfile: { type: "RuntimeDefault" },
          },
        },
        name,
      );
      assert.deepEqual(
        containers.map((container) => container.securityContext),
        [
          {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ["ALL"] },
          },
        ],
        name,
      );
    }
  });

  it("writes the address of every Redis and Sentinel into each pod's hosts file", () => {
    for (const [name, { hostAliases }] of podSpecs(standard)) {
      assert.equal(hostAliases.length, 6, name);
      for (const { ip, hostnames } of hostAliases) assert.deepEqual([`ip-of-${hostnames[0]}`], [ip], name);
    }
  });

  it("lets no pod ask a name server: a Sentinel that hears of a removed host would stand still", () => {
    for (const [name, { dnsPolicy, dnsConfig }] of podSpecs(standard)) {
      assert.equal(dnsPolicy, "None", name);
      assert.deepEqual((dnsConfig as { nameservers: string[] }).nameservers, ["127.0.0.1"], name);
    }
  });

  it("mounts each volume where its program expects it, and the same claim only once", () => {
    const claims: string[] = [];
    for (const [name, spec] of podSpecs(standard)) {
      const volumes = spec.volumes as { name: string; persistentVolumeClaim?: { claimName: string } }[];
      const claim = volumes.find((volume) => volume.name === "state")?.persistentVolumeClaim?.claimName;
      const mount = spec.containers[0].volumeMounts.find((item) => item.name === "state")?.mountPath;
      if (name === "redis-sentinel-proxy") assert.deepEqual([claim, mount], [undefined, undefined]);
      else {
        assert.deepEqual(
          [claim, mount],
          [`pvc-${name}`, name.includes("sentinel") ? "/sentinel-conf-file" : "/data"],
        );
        claims.push(String(claim));
      }
    }
    assert.equal(new Set(claims).size, 6);
  });

  it("marks what a destroy leaves behind", () => {
    const kept = standard.resources.filter(({ provider }) => provider === "cluster-adopting");
    assert.equal(kept.length, 7);
    for (const { inputs, name } of kept) {
      const { annotations } = inputs.metadata as { annotations: Record<string, string> };
      const { "pulumi.com/skipAwait": _, ...marks } = annotations;
      assert.deepEqual(
        marks,
        {
          "redis-ha/stack": "organization/redis-ha/test",
          "redis-ha/installation": mockInstallation,
          "pulumi.com/patchForce": "true",
        },
        name,
      );
    }
  });

  it("looks before it deploys for every name that it fixes, and for no other", async () => {
    for (const config of [
      {},
      { "network:policies": "false", "proxy:replicas": "1" },
      { "tls:mode": "all", "tls:issuer": "Issuer/x", "redis:instances": "5" },
    ]) {
      const { resources } = await deploy({ ...prebuilt, ...config });
      const settings = resolveSettings({ ...prebuilt, ...config }, "test");
      const names = fixedNames(describeTopology(settings, clusterSite("test")), settings, clusterNames());
      const declared = (kind: string): unknown[] =>
        physicalNames(resources.filter(({ type }) => type.endsWith(`:${kind}`))).filter(
          (name) => name !== undefined,
        );
      assert.deepEqual(names.claims.map(({ name }) => name).sort(), declared("PersistentVolumeClaim"));
      for (const [kind, fixed] of Object.entries(names.objects)) {
        // cert-manager calls the Secret as its Certificate is called.
        assert.deepEqual([...fixed].sort(), declared(kind === "Secret" ? "Certificate" : kind), kind);
      }
    }
  });

  it("adopts only what a destroy leaves behind: the namespace and the claims", () => {
    for (const { name, inputs } of standard.resources.filter(
      ({ type }) => type === "pulumi:providers:kubernetes",
    )) {
      assert.equal(
        String(inputs.enableSecretMutable),
        "true",
        `${name}: a new password would roll every pod`,
      );
    }
    const adopted = standard.resources.filter(({ provider }) => provider === "cluster-adopting");
    assert.deepEqual([...new Set(adopted.map(({ type }) => type))].sort(), [
      "kubernetes:core/v1:Namespace",
      "kubernetes:core/v1:PersistentVolumeClaim",
    ]);
    const owned = standard.resources.filter(({ provider }) => provider === "cluster");
    assert.equal(owned.length, 7 + 10 + 8 + 3 + 4);
  });

  it("lets the provider wait for no Service whose pods need its address, but for a load balancer's address", async () => {
    const waited = (deployment: Deployment): unknown[] =>
      ofType(deployment, "Service")
        .map(({ inputs }) => inputs.metadata as { name: string; annotations?: object })
        .flatMap(({ name, annotations }) => (annotations === undefined ? [name] : []))
        .toSorted();
    // A headless one is never waited for.
    assert.deepEqual(waited(standard), ["svc-redis-sentinel-instances"]);
    const balanced = await deploy({ ...prebuilt, "proxy:serviceType": "LoadBalancer" });
    assert.deepEqual(waited(balanced), ["svc-redis-sentinel-instances", "svc-redis-sentinel-proxy"]);
  });

  it("changes only Sentinels when the quorum changes", async () => {
    const changed = await deploy({ ...registry, "sentinel:quorum": "3" });
    const before = new Map(standard.resources.map((resource) => [resource.type + resource.name, resource]));
    const different = changed.resources.filter(
      (resource) =>
        JSON.stringify(resource.inputs) !== JSON.stringify(before.get(resource.type + resource.name)?.inputs),
    );
    assert.deepEqual(different.map(({ name }) => name).sort(), [
      "redis-sentinel-1",
      "redis-sentinel-2",
      "redis-sentinel-3",
    ]);
  });

  it("lets the image read redis:extraConfig before any pod is touched, and only then", async () => {
    assert.equal(ofType(standard, "Job").length, 0);
    const { resources } = await deploy({ ...prebuilt, "redis:extraConfig": "slowlog-log-slower-than 5000" });
    const job = resources.find(({ type }) => type.endsWith(":Job"));
    const { template } = (job?.inputs.spec ?? {}) as { template?: { spec: PodSpec } };
    const [container] = template?.spec.containers ?? [];
    assert.equal(container?.image, "example/sentinel:1");
    assert.deepEqual(container?.env, [
      { name: "REDIS_ENGINE", value: "redis" },
      { name: "REDIS_MODULES", value: "" },
      { name: "REDIS_EXTRA_CONFIG", value: "slowlog-log-slower-than 5000" },
    ]);
    const order = resources.filter(({ type }) => /:(Job|Deployment)$/.test(type)).map(({ name }) => name);
    assert.deepEqual(order, [
      "config-check",
      ...["redis-sentinel-1", "redis-sentinel-2", "redis-sentinel-3"],
      ...["redis-instance-3", "redis-instance-2", "redis-instance-1"],
      "proxy",
    ]);
  });

  it("has every Deployment waited for by the program, not by the provider", () => {
    for (const { name, inputs } of ofType(standard, "Deployment")) {
      const { annotations } = inputs.metadata as { annotations?: Record<string, string> };
      assert.deepEqual(annotations, { "pulumi.com/waitFor": "jsonpath={.metadata.uid}" }, name);
    }
  });

  it("creates nothing of Docker when both images are prebuilt", async () => {
    const { resources } = await deploy(prebuilt);
    assert.deepEqual(
      resources.filter(({ type }) => type.includes("docker")),
      [],
    );
    const images = resources.flatMap(({ type, inputs }) =>
      type.endsWith(":Deployment")
        ? [(inputs.spec as { template: { spec: PodSpec } }).template.spec.containers[0].image]
        : [],
    );
    assert.deepEqual([...new Set(images)].sort(), ["example/proxy:1", "example/sentinel:1"]);
  });

  it("finds an existing namespace instead of making one", async () => {
    const { resources, outputs } = await deploy({
      ...prebuilt,
      "redis-ha:createNamespace": "false",
      "redis-ha:namespace": "team-a",
    });
    assert.equal(resources.filter(({ type }) => type.endsWith(":Namespace")).length, 0);
    assert.equal(outputs.namespace, "team-a");
  });

  it("follows the counts of the configuration", async () => {
    const { resources } = await deploy({ ...prebuilt, "redis:instances": "5", "sentinel:count": "5" });
    const budgets = resources.filter(({ type }) => type.endsWith(":PodDisruptionBudget"));
    assert.deepEqual(
      budgets
        .map(({ name, inputs }) => [name, (inputs.spec as { minAvailable: number }).minAvailable])
        .sort(),
      [
        ["proxy", 1],
        ["redis", 4],
        ["sentinel", 4],
      ],
    );
    assert.equal(resources.filter(({ type }) => type.endsWith(":Deployment")).length, 11);
  });

  it("refuses a wrong configuration before it registers anything", async () => {
    await assert.rejects(
      deploy({ ...registry, "sentinel:quorum": "4", "redis:storage": "1x" }),
      /2 mistakes[\s\S]*'redis:storage' is '1x'[\s\S]*'sentinel:quorum' is 4/,
    );
  });

  it("refuses secret values before it registers anything: they would be none in a pod", async () => {
    await assert.rejects(
      deploy({ ...registry, "redis:extraConfig": "hush" }, { secretKeys: ["redis:extraConfig"] }),
      (error: Error) =>
        /'redis:extraConfig' is a secret[\s\S]*without --secret/.test(error.message) &&
        !error.message.includes("hush"),
    );
  });

  it("labels every object validly, whatever Pulumi lets a stack be called", async () => {
    const { resources } = await deploy({ ...prebuilt }, { stack: `release-2026.${"x".repeat(86)}_` });
    const objects = resources.filter(({ inputs }) => inputs.metadata !== undefined);
    assert.ok(objects.length > 20);
    for (const { inputs, name } of objects) {
      const { labels, namespace } = inputs.metadata as { labels: Record<string, string>; namespace?: string };
      for (const value of Object.values(labels))
        assert.match(value, /^[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?$/, name);
      if (namespace !== undefined) assert.match(namespace, /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
    }
  });

  it("previews without a cluster", async () => {
    const { resources } = await deploy({ ...registry }, { preview: true });
    assert.equal(resources.length, standard.resources.length);
  });
});
