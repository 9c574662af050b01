import assert from "node:assert/strict";
import { builtImage } from "../support/built-image.ts";
import { askThrough, writeThrough } from "../support/endpoint-client.ts";
import { eventually } from "../support/eventually.ts";
import { kubectl, startIdlePod } from "../support/kubectl.ts";
import { TestStack } from "../support/test-stack.ts";
import { tryConnections } from "../support/try-connections.ts";

const namespace = "redis-ha-platform";
const priorityClass = "redis-ha-platform-test";
const nodePorts = { redis: 31379, sentinel: 31380 } as const;
const exporterPort = 9121;

type Json = Record<string, unknown>;
interface KubernetesObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Json; readonly annotations?: Json };
  readonly spec: Json;
}
interface Pod extends KubernetesObject {
  readonly spec: Json & { readonly containers: readonly (Json & { readonly name: string })[] };
  readonly status: { readonly podIP: string; readonly hostIP: string };
}

/** A sidecar that tells, to whoever may ask, what it sees of the configured volume and of the data. */
const tell = `require("node:http").createServer((_, answer) => {
  const fs = require("node:fs");
  const attempt = (act) => { try { return act(); } catch (error) { return error.code; } };
  answer.end(JSON.stringify({
    motd: attempt(() => fs.readFileSync("/etc/motd.d/motd", "utf8")),
    data: attempt(() => fs.readdirSync("/data").length > 0),
    written: attempt(() => fs.writeFileSync("/data/sidecar", "")),
    passwords: attempt(() => fs.readdirSync("/etc/redis-ha")),
  }));
}).listen(${exporterPort})`;

/** One deployment that uses every setting a platform may need, looked at from outside. */
describe("a stack on somebody's platform", function () {
  this.timeout(300_000);
  this.bail(true);
  let stack: TestStack;
  let password: string;
  let pods: Pod[];

  before(async () => {
    await kubectl(["delete", "namespace", namespace, "--ignore-not-found", "--timeout=170s"]);
    for (const object of givenObjects()) await kubectl(["apply", "--filename", "-"], JSON.stringify(object));
    stack = await TestStack.create("platform", await configuration());
    await stack.up();
    ({ password } = (await stack.outputs()) as { password: string });
    pods = (await get<Pod>("pods", "--selector", "app.kubernetes.io/name=redis-ha")) as Pod[];
  });

  after(async () => {
    await stack.destroy();
    stack.remove();
    await kubectl(["delete", "namespace", namespace, "--wait=false"]);
    await kubectl(["delete", "priorityclass", priorityClass]);
  });

  it("runs pods that have all of it", () => {
    assert.equal(pods.length, 7);
    for (const { metadata, spec } of pods) {
      const name = metadata.name;
      assert.deepEqual([metadata.labels?.team, metadata.labels?.tier], ["shop", "data"], name);
      assert.equal(metadata.annotations?.["example.com/owner"], "shop", name);
      assert.equal(metadata.annotations?.["example.com/scrape"], "true", name);
      assert.deepEqual(spec.nodeSelector, { "kubernetes.io/os": "linux" }, name);
      assert.deepEqual([spec.priorityClassName, spec.priority], [priorityClass, 1234], name);
      assert.ok(JSON.stringify(spec.tolerations).includes('"dedicated"'), name);
      assert.ok(JSON.stringify(spec.affinity).includes('"kubernetes.io/arch"'), name);
      const [own] = spec.containers;
      assert.ok(JSON.stringify(own?.env).includes('{"name":"TZ","value":"Europe/Berlin"}'), name);
      assert.equal(own?.imagePullPolicy, "IfNotPresent", name);
      assert.ok(own);
      const { requests, limits } = own.resources as { requests: Json; limits: Json };
      assert.deepEqual([requests.cpu, requests.memory, limits.cpu], ["20m", "100Mi", undefined], name);
    }
    const count = (kind: "containers" | "initContainers"): number[] =>
      pods.map(({ spec }) => ((spec[kind] ?? []) as unknown[]).length).toSorted((a, b) => a - b);
    assert.deepEqual(count("containers"), [1, 1, 1, 1, 2, 2, 2]);
    assert.deepEqual(count("initContainers"), [0, 0, 0, 0, 0, 0, 1]);
  });

  it("has labels and annotations on every object, and what the patches say", async () => {
    const kinds = "deployments,services,persistentvolumeclaims,poddisruptionbudgets,networkpolicies,secrets";
    const objects = await get<KubernetesObject>(kinds, "--selector", "app.kubernetes.io/part-of=redis-ha");
    assert.ok(objects.length > 35, `${objects.length} objects`);
    for (const { kind, metadata } of objects) {
      const { labels, annotations } = metadata;
      assert.equal(labels?.team, "shop", `${kind} ${metadata.name}`);
      assert.equal(annotations?.["example.com/owner"], "shop", `${kind} ${metadata.name}`);
    }
    const limits = objects
      .filter(({ kind, metadata }) => kind === "Deployment" && metadata.name.includes("instance"))
      .map(({ spec }) => spec.revisionHistoryLimit);
    assert.deepEqual(limits, [3, 3, 3]);
    const endpoint = objects.find(({ metadata }) => metadata.name === "svc-redis-sentinel-proxy");
    assert.ok(endpoint);
    const { type, externalTrafficPolicy, ipFamilies, ipFamilyPolicy, sessionAffinity, ports } = endpoint.spec;
    assert.deepEqual(
      [type, externalTrafficPolicy, ipFamilies, ipFamilyPolicy, sessionAffinity],
      ["NodePort", "Local", ["IPv4"], "SingleStack", "ClientIP"],
    );
    assert.deepEqual(
      (ports as { nodePort: number }[]).map(({ nodePort }) => nodePort),
      Object.values(nodePorts),
    );
    assert.equal(endpoint.metadata.labels?.exposed, "true");
    assert.equal(endpoint.metadata.annotations?.["example.com/internal"], "true");
  });

  it("lets clients in at the fixed ports of the node", async () => {
    await writeThrough(nodePorts.redis, password, "where", "node", pods[0]?.status.hostIP);
  });

  it("runs the sidecar, which reads what it may, writes nothing, sees no password, and is reached by the rule", async () => {
    const image = await builtImage("proxy");
    await startIdlePod("default", "redis-ha-platform-visitor", image);
    try {
      const redis = pods.filter(({ metadata }) => metadata.name.startsWith("redis-instance"));
      const targets = redis.flatMap(({ status }) => [
        { address: status.podIP, port: exporterPort },
        { address: status.podIP, port: 6379 },
      ]);
      const open = await tryConnections("default", "pod/redis-ha-platform-visitor", targets);
      assert.deepEqual(open, [true, false, true, false, true, false]);
    } finally {
      await kubectl(["--namespace", "default", "delete", "pod", "redis-ha-platform-visitor", "--wait=false"]);
    }
    const said = await kubectl([
      "--namespace",
      namespace,
      "exec",
      "deployment/redis-instance-1",
      "--container",
      "agent",
      "--",
      "node",
      "-e",
      `fetch("http://127.0.0.1:${exporterPort}").then((answer) => answer.text()).then(console.log)`,
    ]);
    assert.deepEqual(JSON.parse(said), { motd: "hello", data: true, written: "EROFS", passwords: "ENOENT" });
  });

  it("takes a user's password from the platform's Secret, and follows it while everything runs", async () => {
    const host = pods[0]?.status.hostIP;
    const login = async (given: string): Promise<unknown> =>
      (await askThrough(nodePorts.redis, { username: "shop", password: given }, [["PING"]], host)).PING;
    const restarts = (): Promise<string> =>
      kubectl([...inNamespace, "get", "pods", "--output", "jsonpath={.items[*].metadata.uid}"]);
    const before = await restarts();
    assert.equal(await login("first-of-the-platform"), "PONG");
    const value = Buffer.from("first-of-the-platform\nsecond-of-the-platform\n").toString("base64");
    await kubectl([
      ...inNamespace,
      "patch",
      "secret",
      "shop-login",
      "--patch",
      `{"data":{"redis":"${value}"}}`,
    ]);
    await eventually(async () => assert.equal(await login("second-of-the-platform"), "PONG"), {
      withinMs: 150_000,
      everyMs: 1000,
    });
    assert.equal(await login("first-of-the-platform"), "PONG");
    assert.equal(await restarts(), before);
  });

  it("refuses at preview what would break a promise, with the reason", async () => {
    const patch = { deployment: { spec: { replicas: 2, template: { spec: { hostNetwork: true } } } } };
    await stack.configure({ "sentinel:patches": JSON.stringify(patch) });
    const refused = await stack.run("preview").then(
      () => assert.fail("the preview accepts it"),
      (error: unknown) => String(error),
    );
    assert.match(refused, /'sentinel:patches' can't be: hostNetwork must not be true/);
    assert.match(refused, /'sentinel:patches' can't be: 2 pods would share one volume/);
    await stack.run("config rm", "sentinel:patches");
  });
});

const inNamespace = ["--namespace", namespace] as const;

async function get<T>(kinds: string, ...args: string[]): Promise<T[]> {
  const text = await kubectl([...inNamespace, "get", kinds, ...args, "--output", "json"]);
  return (JSON.parse(text) as { items: T[] }).items;
}

/** What the platform has before: a namespace of its own making, a Secret, a ConfigMap, a PriorityClass. */
function givenObjects(): Json[] {
  return [
    {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: namespace, labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
    },
    {
      apiVersion: "scheduling.k8s.io/v1",
      kind: "PriorityClass",
      metadata: { name: priorityClass },
      value: 1234,
    },
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "shop-login", namespace },
      stringData: { redis: "first-of-the-platform" },
    },
    { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "motd", namespace }, data: { motd: "hello" } },
  ];
}

async function configuration(): Promise<Record<string, string>> {
  const image = await builtImage("proxy");
  const resources = { requests: { cpu: "5m", memory: "64Mi" }, limits: { memory: "64Mi" } };
  const each = {
    cpu: "20m",
    memoryRequest: "100Mi",
    nodeSelector: { "kubernetes.io/os": "linux" },
    tolerations: [{ key: "dedicated", operator: "Equal", value: "redis", effect: "NoSchedule" }],
    affinity: {
      nodeAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          {
            weight: 1,
            preference: { matchExpressions: [{ key: "kubernetes.io/arch", operator: "Exists" }] },
          },
        ],
      },
    },
    podLabels: { tier: "data" },
    podAnnotations: { "example.com/scrape": "true" },
    extraEnv: [{ name: "TZ", value: "Europe/Berlin" }],
    extraVolumes: [{ name: "motd", configMap: { name: "motd" } }],
    extraMounts: [{ name: "motd", mountPath: "/etc/motd.d", readOnly: true }],
  };
  const keys: Json = {
    ...Object.fromEntries(
      ["redis", "sentinel", "proxy"].flatMap((part) =>
        Object.entries(each).map(([key, value]) => [`${part}:${key}`, value]),
      ),
    ),
    "redis:storage": "64Mi",
    "redis:users": [
      { name: "default" },
      { name: "shop", existingSecret: { name: "shop-login", key: "redis" } },
    ],
    "redis:sidecars": [
      {
        name: "agent",
        image,
        command: ["node", "-e", tell],
        ports: [{ name: "exporter", containerPort: exporterPort }],
        resources,
        volumeMounts: [
          { name: "motd", mountPath: "/etc/motd.d", readOnly: true },
          { name: "state", mountPath: "/data", readOnly: true },
        ],
      },
    ],
    "redis:patches": { deployment: { spec: { revisionHistoryLimit: 3 } } },
    "proxy:replicas": 1,
    "proxy:initContainers": [{ name: "first", image, command: ["node", "-e", "0"], resources }],
    "proxy:patches": { service: { spec: { sessionAffinity: "ClientIP" } } },
    "proxy:serviceType": "NodePort",
    "proxy:nodePort": nodePorts.redis,
    "proxy:sentinelNodePort": nodePorts.sentinel,
    "proxy:externalTrafficPolicy": "Local",
    "proxy:ipFamilies": "IPv4",
    "proxy:ipFamilyPolicy": "SingleStack",
    "proxy:serviceLabels": { exposed: "true" },
    "proxy:serviceAnnotations": { "example.com/internal": "true" },
    "network:extraIngress": [
      {
        parts: ["redis"],
        from: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "default" } } }],
        ports: [{ port: exporterPort, protocol: "TCP" }],
      },
    ],
    "images:pullPolicy": "IfNotPresent",
    "redis-ha:namespace": namespace,
    "redis-ha:createNamespace": false,
    "redis-ha:keepVolumes": false,
    "redis-ha:priorityClass": priorityClass,
    "redis-ha:labels": { team: "shop" },
    "redis-ha:annotations": { "example.com/owner": "shop" },
  };
  return Object.fromEntries(
    Object.entries(keys).map(([key, value]) => [
      key,
      typeof value === "object" ? JSON.stringify(value) : String(value),
    ]),
  );
}
