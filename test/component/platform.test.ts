import assert from "node:assert/strict";
import { type Deployment, deploy, type Registration } from "../support/deploy.ts";

const prebuilt = { "images:sentinel": "example/sentinel:1", "images:proxy": "example/proxy:1" };
const agentImage = `registry.example.com/agent@sha256:${"a".repeat(64)}`;
const small = { requests: { cpu: "10m", memory: "32Mi" }, limits: { cpu: "100m", memory: "32Mi" } };
const restricted = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ["ALL"] },
};

type Json = Record<string, unknown>;
interface Container extends Json {
  readonly name: string;
  readonly env: readonly Json[];
  readonly volumeMounts: readonly Json[];
  readonly resources: unknown;
}
interface Template {
  readonly metadata: { readonly labels: Json; readonly annotations?: Json };
  readonly spec: Json & {
    readonly containers: readonly [Container, ...Container[]];
    readonly tolerations: readonly Json[];
    readonly volumes: readonly Json[];
    readonly affinity: Readonly<Record<string, Record<string, readonly unknown[]>>>;
  };
}
type Part = "redis" | "sentinel" | "proxy";
const parts: readonly Part[] = ["redis", "sentinel", "proxy"];

function config(values: Readonly<Record<string, unknown>>): Record<string, string> {
  return {
    ...prebuilt,
    ...Object.fromEntries(
      Object.entries(values).map(([key, value]) => [
        key,
        typeof value === "object" ? JSON.stringify(value) : String(value),
      ]),
    ),
  };
}

function objects({ resources }: Deployment, kind: string): Registration[] {
  return resources.filter(({ type }) => type.endsWith(`:${kind}`));
}

/** All pod templates of each part. */
function templates(deployment: Deployment): Record<Part, Template[]> {
  const found: Record<Part, Template[]> = { redis: [], sentinel: [], proxy: [] };
  for (const { inputs } of objects(deployment, "Deployment")) {
    const template = (inputs.spec as { template: Template }).template;
    found[template.metadata.labels["app.kubernetes.io/component"] as Part].push(template);
  }
  assert.deepEqual([found.redis.length, found.sentinel.length, found.proxy.length], [3, 3, 1]);
  return found;
}

/**
 * Deploys with a key set for each part, each to a value of its own, and tells what every pod of the part has.
 *
 * @param ofPart the value for one part.
 * @param read what to read of a pod.
 */
async function each(key: string, ofPart: (part: Part) => unknown, read: (template: Template) => unknown) {
  const found = templates(
    await deploy(config(Object.fromEntries(parts.map((part) => [`${part}:${key}`, ofPart(part)])))),
  );
  return Object.fromEntries(
    parts.map((part) => {
      const [first, ...others] = found[part].map(read);
      for (const other of others) assert.deepEqual(other, first, part);
      return [part, first];
    }),
  );
}

function endpointOf(deployment: Deployment): { metadata: Json; spec: Json & { ports: readonly Json[] } } {
  const service = objects(deployment, "Service").find(({ name }) => name === "proxy");
  assert.ok(service);
  return service.inputs as { metadata: Json; spec: Json & { ports: readonly Json[] } };
}

describe("a platform's wishes", function () {
  this.timeout(120_000);

  it("requests CPU and memory as each part is told, and limits the CPU of proxies only", async () => {
    assert.deepEqual(
      await each(
        "cpu",
        (part) => ({ redis: "250m", sentinel: "20m", proxy: "1.5" })[part],
        ({ spec }) => (spec.containers[0].resources as { requests: Json }).requests.cpu,
      ),
      { redis: "250m", sentinel: "20m", proxy: "1.5" },
    );
    const found = templates(
      await deploy(
        config({
          "redis:memoryRequest": "200Mi",
          "sentinel:memory": "160Mi",
          "proxy:memoryRequest": "300Mi",
          "proxy:cpuLimit": "2",
        }),
      ),
    );
    assert.deepEqual(
      parts.map((part) => found[part][0]?.spec.containers[0].resources),
      [
        { requests: { cpu: "50m", memory: "200Mi" }, limits: { memory: "256Mi" } },
        { requests: { cpu: "50m", memory: "160Mi" }, limits: { memory: "160Mi" } },
        { requests: { cpu: "50m", memory: "300Mi" }, limits: { cpu: "2", memory: "512Mi" } },
      ],
    );
  });

  it("places each part's pods: selectors, taints, affinity beside its own rule, priority", async () => {
    assert.deepEqual(
      await each(
        "nodeSelector",
        (part) => ({ pool: part }),
        ({ spec }) => spec.nodeSelector,
      ),
      { redis: { pool: "redis" }, sentinel: { pool: "sentinel" }, proxy: { pool: "proxy" } },
    );
    const taint = (part: Part): Json => ({
      key: "dedicated",
      operator: "Equal",
      value: part,
      effect: "NoSchedule",
    });
    assert.deepEqual(
      await each(
        "tolerations",
        (part) => [taint(part)],
        ({ spec }) => [spec.tolerations.length, spec.tolerations.at(-1)],
      ),
      { redis: [3, taint("redis")], sentinel: [3, taint("sentinel")], proxy: [3, taint("proxy")] },
    );
    const when = "preferredDuringSchedulingIgnoredDuringExecution";
    const term = { weight: 1, podAffinityTerm: { topologyKey: "rack" } };
    const nodeAffinity = {
      [when]: [{ weight: 2, preference: { matchExpressions: [{ key: "ssd", operator: "Exists" }] } }],
    };
    const merged = await each(
      "affinity",
      () => ({ nodeAffinity, podAntiAffinity: { [when]: [term] } }),
      ({ spec: { affinity } }) => [
        affinity.nodeAffinity,
        affinity.podAntiAffinity?.[when]?.length,
        affinity.podAntiAffinity?.[when]?.at(-1),
      ],
    );
    for (const part of parts) assert.deepEqual(merged[part], [nodeAffinity, 2, term]);
    const found = templates(
      await deploy(config({ "redis-ha:priorityClass": "all", "redis:priorityClass": "databases" })),
    );
    assert.deepEqual(
      parts.map((part) => found[part].map(({ spec }) => spec.priorityClassName)),
      [Array(3).fill("databases"), Array(3).fill("all"), ["all"]],
    );
  });

  it("adds labels and annotations to each part's pods, and to nothing that selects them", async () => {
    const labelled = await deploy(
      config(
        Object.fromEntries(
          parts.flatMap((part) => [
            [`${part}:podLabels`, { team: part }],
            [`${part}:podAnnotations`, { "example.com/scrape": part }],
          ]),
        ),
      ),
    );
    const found = templates(labelled);
    for (const part of parts) {
      for (const { metadata } of found[part]) {
        assert.deepEqual([metadata.labels.team, metadata.annotations?.["example.com/scrape"]], [part, part]);
        assert.equal(metadata.labels["app.kubernetes.io/component"], part);
      }
    }
    const selectors = labelled.resources.map(({ inputs }) => {
      const { selector, podSelector } = (inputs.spec ?? {}) as Json;
      return JSON.stringify([selector, podSelector]);
    });
    assert.ok(!selectors.some((text) => text.includes("team")));
  });

  it("labels and annotates every object and every pod", async () => {
    const marked = await deploy(
      config({
        "redis-ha:labels": { team: "shop" },
        "redis-ha:annotations": { "example.com/owner": "shop" },
        "redis:extraConfig": "slowlog-log-slower-than 5000",
        "tls:mode": "all",
        "tls:issuer": "ClusterIssuer/internal",
      }),
    );
    const all = marked.resources.filter(({ type }) => type.startsWith("kubernetes:"));
    assert.ok(all.length > 30, `${all.length} objects`);
    const templatesOf = all.flatMap(({ name, inputs }) => {
      const template = (inputs.spec as { template?: { metadata: Json } } | undefined)?.template;
      return template === undefined ? [] : [{ name: `pods of ${name}`, metadata: template.metadata }];
    });
    assert.equal(templatesOf.length, 8);
    for (const { name, metadata } of [
      ...all.map(({ name, inputs }) => ({ name, metadata: inputs.metadata as Json })),
      ...templatesOf,
    ]) {
      assert.equal((metadata.labels as Json | undefined)?.team, "shop", name);
      assert.equal((metadata.annotations as Json | undefined)?.["example.com/owner"], "shop", name);
    }
    const claims = objects(marked, "PersistentVolumeClaim").map(
      ({ inputs }) => (inputs.metadata as Json).annotations as Json,
    );
    assert.ok(claims.every((annotations) => annotations["pulumi.com/skipAwait"] === "true"));
  });

  it("adds environment, volumes and mounts to each part's own container", async () => {
    const found = templates(
      await deploy(
        config(
          Object.fromEntries(
            parts.flatMap((part) => [
              [`${part}:extraEnv`, [{ name: "TZ", value: `Europe/${part}` }]],
              [`${part}:extraVolumes`, [{ name: "ca", configMap: { name: `ca-${part}` } }]],
              [`${part}:extraMounts`, [{ name: "ca", mountPath: "/etc/corporate-ca", readOnly: true }]],
            ]),
          ),
        ),
      ),
    );
    for (const part of parts) {
      for (const { spec } of found[part]) {
        const [container] = spec.containers;
        assert.deepEqual(container.env.at(-1), { name: "TZ", value: `Europe/${part}` });
        assert.ok(container.env.length > 5);
        assert.deepEqual(spec.volumes.at(-1), { name: "ca", configMap: { name: `ca-${part}` } });
        assert.deepEqual(container.volumeMounts.at(-1), {
          name: "ca",
          mountPath: "/etc/corporate-ca",
          readOnly: true,
        });
      }
    }
  });

  it("runs containers beside and before each part's own, restricted as it is", async () => {
    const agent = (name: string): Json => ({ name, image: agentImage, resources: small });
    for (const [key, field] of [
      ["sidecars", "containers"],
      ["initContainers", "initContainers"],
    ] as const) {
      const found = await each(
        key,
        (part) => [agent(`agent-${part}`)],
        ({ spec }) => (spec[field] as unknown[]).at(-1),
      );
      for (const part of parts)
        assert.deepEqual(found[part], { ...agent(`agent-${part}`), securityContext: restricted });
    }
  });

  it("pulls images as it is told", async () => {
    const found = templates(
      await deploy(config({ "images:pullPolicy": "Always", "images:pullSecret": "mine" })),
    );
    for (const part of parts) {
      for (const { spec } of found[part]) {
        assert.equal(spec.containers[0].imagePullPolicy, "Always");
        assert.deepEqual(spec.imagePullSecrets, [{ name: "mine" }]);
      }
    }
  });

  it("checks redis:extraConfig where Redis may run", async () => {
    const checked = await deploy(
      config({
        "redis:extraConfig": "slowlog-log-slower-than 5000",
        "redis:nodeSelector": { pool: "data" },
        "redis:tolerations": [{ key: "data", operator: "Exists" }],
        "redis:podAnnotations": { "sidecar.istio.io/inject": "false" },
        "images:pullPolicy": "Always",
      }),
    );
    const [job] = objects(checked, "Job").map(
      ({ inputs }) => (inputs.spec as { template: Template }).template,
    );
    assert.deepEqual(
      [
        job?.spec.nodeSelector,
        job?.spec.tolerations,
        job?.metadata.annotations,
        job?.spec.containers[0].imagePullPolicy,
      ],
      [
        { pool: "data" },
        [{ key: "data", operator: "Exists" }],
        { "sidecar.istio.io/inject": "false" },
        "Always",
      ],
    );
  });

  it("shapes the endpoint's Service", async () => {
    const balanced = endpointOf(
      await deploy(
        config({
          "proxy:serviceType": "LoadBalancer",
          "proxy:serviceAnnotations": { "service.beta.kubernetes.io/aws-load-balancer-scheme": "internal" },
          "proxy:serviceLabels": { exposed: "true" },
          "proxy:loadBalancerClass": "service.k8s.aws/nlb",
          "proxy:loadBalancerSourceRanges": "203.0.113.0/24,2001:db8::/32",
          "proxy:externalTrafficPolicy": "Local",
          "proxy:nodePort": 30379,
          "proxy:sentinelNodePort": 30380,
          "proxy:ipFamilies": "IPv6,IPv4",
          "proxy:ipFamilyPolicy": "PreferDualStack",
        }),
      ),
    );
    assert.deepEqual(balanced.metadata.annotations, {
      "service.beta.kubernetes.io/aws-load-balancer-scheme": "internal",
    });
    assert.equal((balanced.metadata.labels as Json).exposed, "true");
    const { selector, ports, ...spec } = balanced.spec;
    assert.deepEqual(spec, {
      type: "LoadBalancer",
      loadBalancerClass: "service.k8s.aws/nlb",
      loadBalancerSourceRanges: ["203.0.113.0/24", "2001:db8::/32"],
      externalTrafficPolicy: "Local",
      ipFamilies: ["IPv6", "IPv4"],
      ipFamilyPolicy: "PreferDualStack",
    });
    assert.deepEqual(
      ports.map(({ name, nodePort }) => [name, nodePort]),
      [
        ["redis", 30379],
        ["sentinel", 30380],
      ],
    );
    assert.ok(!("exposed" in (selector as Json)));
  });

  it("allows connections that redis-ha doesn't know of, for the parts that are named", async () => {
    const from = [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } } }];
    const to = [{ ipBlock: { cidr: "10.0.0.0/8" } }];
    const opened = await deploy(
      config({
        "network:extraIngress": [{ parts: ["redis"], from, ports: [{ port: 9121, protocol: "TCP" }] }],
        "network:extraEgress": [{ to, ports: [{ port: 15012, protocol: "TCP" }] }],
      }),
    );
    const specs = new Map(
      objects(opened, "NetworkPolicy").map(({ name, inputs }) => [
        name,
        inputs.spec as Record<string, unknown[]>,
      ]),
    );
    assert.deepEqual(
      parts.map((part) => JSON.stringify(specs.get(part)?.ingress).includes('"port":9121')),
      [true, false, false],
    );
    assert.deepEqual(specs.get("redis")?.ingress?.at(-1), { from, ports: [{ port: 9121, protocol: "TCP" }] });
    for (const part of parts)
      assert.deepEqual(specs.get(part)?.egress?.at(-1), { to, ports: [{ port: 15012, protocol: "TCP" }] });
  });

  it("takes a user's password from a Secret of the platform's, for those who check it alone", async () => {
    const deployment = await deploy(
      config({
        "redis:users": [
          { name: "shop", existingSecret: { name: "shop-login", key: "redis" } },
          { name: "jobs", existingSecret: { name: "jobs-login" } },
          { name: "web" },
        ],
      }),
    );
    const given = (template: Template | undefined): unknown[] => {
      const volume = template?.spec.volumes.find(({ name }) => name === "credentials") as
        | { projected: { sources: { secret: { name: string } }[] } }
        | undefined;
      return (volume?.projected.sources ?? []).filter(({ secret }) => secret.name.endsWith("-login"));
    };
    const sources = [
      ["shop-login", "redis", "users/shop"],
      ["jobs-login", "password", "users/jobs"],
    ].map(([name, key, path]) => ({ secret: { name, items: [{ key, path }], optional: true } }));
    const found = templates(deployment);
    assert.deepEqual(
      [given(found.redis[0]), given(found.sentinel[0]), given(found.proxy[0])],
      [sources, [], sources],
    );
    const directory = "/etc/redis-ha/credentials/users";
    for (const [part, name] of [
      ["redis", "REDIS_USER_PASSWORDS_DIR"],
      ["proxy", "PROXY_USER_PASSWORDS_DIR"],
    ] as const)
      assert.ok(
        found[part][0]?.spec.containers[0].env.some((one) => one.name === name && one.value === directory),
      );
    const names = objects(deployment, "Secret").map(({ name }) => name);
    assert.ok(names.includes("credentials-web"));
    assert.ok(!names.includes("credentials-shop") && !names.includes("credentials-jobs"));
    assert.equal(deployment.outputs.credentialsSecret, "shop-login");
    assert.equal(deployment.outputs.password, undefined);
    const { shop, web } = deployment.outputs.users as Record<string, Json>;
    assert.deepEqual(
      [shop?.secretName, shop?.password, typeof web?.password],
      ["shop-login", undefined, "string"],
    );
    await assert.rejects(
      deploy(
        config({
          "proxy:sentinelApi": "false",
          "redis:users": [{ name: "shop", existingSecret: { name: "Shop", kay: "x" } }],
        }),
      ),
      /'redis:users' has a mistake at \[0\]\.existingSecret\.name: must be the name of a Secret.*'redis:users' has a mistake at \[0\]\.existingSecret: Unrecognized key/s,
    );
    await assert.rejects(
      deploy(
        config({
          "proxy:sentinelApi": "false",
          "redis:users": [{ name: "shop", existingSecret: { name: "shop-login" } }],
        }),
      ),
      /'redis:users' has an existingSecret, but with 'proxy:sentinelApi' false/,
    );
  });

  it("applies patches last, and merges lists of named things by name", async () => {
    const patch = {
      deployment: {
        spec: {
          template: {
            spec: {
              schedulerName: "mine",
              priorityClassName: null,
              containers: [{ name: "redis", resources: { requests: { "example.com/disk": "1" } } }],
            },
          },
        },
      },
    };
    const found = templates(
      await deploy(config({ "redis-ha:priorityClass": "all", "redis:patches": patch })),
    );
    for (const { spec } of found.redis) {
      assert.deepEqual(
        [spec.schedulerName, spec.priorityClassName, spec.containers.length],
        ["mine", undefined, 1],
      );
      assert.deepEqual(spec.containers[0].resources, {
        requests: { cpu: "50m", memory: "256Mi", "example.com/disk": "1" },
        limits: { memory: "256Mi" },
      });
    }
    assert.equal(found.sentinel[0]?.spec.schedulerName, undefined);
    const service = endpointOf(
      await deploy(
        config({
          "proxy:patches": {
            service: {
              spec: { sessionAffinity: "ClientIP", ports: [{ name: "redis", appProtocol: "redis" }] },
            },
          },
        }),
      ),
    );
    assert.deepEqual(
      [
        service.spec.sessionAffinity,
        service.spec.ports.map(({ name, port, appProtocol }) => [name, port, appProtocol]),
      ],
      [
        "ClientIP",
        [
          ["redis", 6379, "redis"],
          ["sentinel", 26379, undefined],
        ],
      ],
    );
  });

  it("tells every mistake at once, with its place and the reason, before anything is made", async () => {
    const agent = {
      name: "agent",
      image: "agent:latest",
      resources: { requests: { cpu: "1m", memory: "1Mi" }, limits: { memory: "1Mi" } },
    };
    const wrong = config({
      "redis:tolerations": [{ key: "a", effect: "NoScheduel" }],
      "sentinel:nodeSelector": { "a b": "c" },
      "proxy:externalTrafficPolicy": "Local",
      "proxy:nodePort": 30379,
      "redis:extraEnv": [{ name: "REDIS_DATA_DIR", value: "/elsewhere" }],
      "redis:memoryRequest": "1Gi",
      "redis:sidecars": [{ ...agent, volumeMounts: [{ name: "state", mountPath: "/data" }] }],
      "proxy:sidecars": [
        { ...agent, image: agentImage, volumeMounts: [{ name: "credentials", mountPath: "/c" }] },
      ],
      "proxy:extraMounts": [{ name: "nothing", mountPath: "/x" }],
      "sentinel:patches": {
        deployment: {
          spec: {
            replicas: 2,
            template: {
              spec: {
                hostNetwork: true,
                containers: [
                  {
                    name: "sentinel",
                    resources: { limits: { cpu: "1" } },
                    livenessProbe: { exec: { command: ["/opt/redis-ha/probe.sh", "ready"] } },
                  },
                ],
              },
            },
          },
        },
      },
    });
    const error = await deploy(wrong).then(
      () => assert.fail("it was deployed"),
      (reason: unknown) => String(reason),
    );
    for (const pattern of [
      /'redis:tolerations' has a mistake at \[0\]\.effect: .*NoSchedule.* Use a JSON list of tolerations/,
      /'sentinel:nodeSelector' has a mistake at \['a b'\]/,
      /'proxy:externalTrafficPolicy' has no effect with 'proxy:serviceType' ClusterIP: use NodePort or LoadBalancer/,
      /'proxy:nodePort' has no effect/,
      /'redis:memoryRequest' is 1Gi, more than the limit redis:memory, 256Mi/,
      /'redis:extraEnv' can't be: environment variable 'REDIS_DATA_DIR' is settled/,
      /'redis:sidecars' can't be: container 'agent' runs 'agent:latest': name it by digest/,
      /'redis:sidecars' can't be: container 'agent' would be a second writer of the claim 'pvc-redis-instance-1'/,
      /'proxy:sidecars' can't be: container 'agent' mounts 'credentials', which is for 'proxy' alone/,
      /'proxy:extraMounts' mounts 'nothing' at \/x, but 'proxy:extraVolumes' has no such volume/,
      /'sentinel:patches' can't be: 2 pods would share one volume/,
      /'sentinel:patches' can't be: hostNetwork must not be true/,
      /'sentinel:patches' can't be: container 'sentinel' must not limit its CPU \(.*looks dead to the others\)/,
      /'sentinel:patches' can't be: the livenessProbe of 'sentinel' must ask .*who is master is for the Sentinels to decide/,
      /'sentinel:patches' can't be: spec\.replicas is settled/,
    ])
      assert.match(error, pattern);
  });
});
