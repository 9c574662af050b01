import assert from "node:assert/strict";
import { type Deployment, deploy } from "../support/deploy.ts";

const prebuilt = { "images:sentinel": "example/sentinel:1", "images:proxy": "example/proxy:1" };

interface PodSpec {
  readonly terminationGracePeriodSeconds: number;
  readonly priorityClassName?: string;
  readonly tolerations: readonly {
    readonly key: string;
    readonly effect: string;
    readonly tolerationSeconds: number;
  }[];
  readonly affinity: { readonly podAntiAffinity: Readonly<Record<string, readonly unknown[]>> };
  readonly containers: readonly { readonly resources: unknown }[];
}

function inputsOf(
  { resources }: Deployment,
  type: string,
): { name: string; spec: unknown; metadata: unknown }[] {
  return resources
    .filter((resource) => resource.type.endsWith(`:${type}`))
    .map(({ name, inputs: { spec, metadata } }) => ({ name, spec, metadata }));
}

/** The spec of one pod of each kind. */
function podsByKind(deployment: Deployment): { redis: PodSpec; sentinel: PodSpec; proxy: PodSpec } {
  const specs = new Map(
    inputsOf(deployment, "Deployment").map(({ name, spec }) => [
      name,
      (spec as { template: { spec: PodSpec } }).template.spec,
    ]),
  );
  const [redis, sentinel, proxy] = ["redis-instance-1", "redis-sentinel-1", "proxy"].map((name) =>
    specs.get(name),
  );
  assert.ok(redis && sentinel && proxy);
  return { redis, sentinel, proxy };
}

describe("where the pods run", function () {
  this.timeout(30_000);
  let standard: Deployment;

  before(async () => {
    standard = await deploy(prebuilt);
  });

  it("starts Sentinels and proxies of a lost node elsewhere soon, Redis with its volume later", async () => {
    const seconds = (deployment: Deployment): unknown =>
      Object.fromEntries(
        Object.entries(podsByKind(deployment)).map(([kind, { tolerations }]) => {
          assert.deepEqual(
            tolerations.map(({ key, effect }) => [key, effect]),
            [
              ["node.kubernetes.io/not-ready", "NoExecute"],
              ["node.kubernetes.io/unreachable", "NoExecute"],
            ],
          );
          return [kind, [...new Set(tolerations.map((item) => item.tolerationSeconds))]];
        }),
      );
    assert.deepEqual(seconds(standard), { redis: [300], sentinel: [30], proxy: [30] });
    const changed = await deploy({
      ...prebuilt,
      "redis:tolerationSeconds": "60",
      "sentinel:tolerationSeconds": "0",
      "proxy:tolerationSeconds": "10",
    });
    assert.deepEqual(seconds(changed), { redis: [60], sentinel: [0], proxy: [10] });
  });

  it("prefers a node for each of a kind, or insists on it, but never for proxies", async () => {
    const rules = (deployment: Deployment): unknown =>
      Object.entries(podsByKind(deployment)).map(([kind, { affinity }]) => {
        const text = JSON.stringify(affinity);
        assert.match(text, /kubernetes\.io\/hostname/);
        assert.match(text, new RegExp(`"app.kubernetes.io/component":"${kind}"`));
        return Object.keys(affinity.podAntiAffinity);
      });
    const [required, preferred] = ["required", "preferred"].map(
      (word) => `${word}DuringSchedulingIgnoredDuringExecution`,
    );
    assert.deepEqual(rules(standard), [[preferred], [preferred], [preferred]]);
    const strict = await deploy({ ...prebuilt, "redis-ha:spread": "required" });
    assert.deepEqual(rules(strict), [[required], [required], [preferred]]);
  });

  it("gives all pods the configured priority, and none of its own", async () => {
    const classes = (deployment: Deployment): unknown[] =>
      Object.values(podsByKind(deployment)).map(({ priorityClassName }) => priorityClassName);
    assert.deepEqual(classes(standard), [undefined, undefined, undefined]);
    const changed = await deploy({ ...prebuilt, "redis-ha:priorityClass": "databases" });
    assert.deepEqual(classes(changed), ["databases", "databases", "databases"]);
  });

  it("requests what the pods need, so that no node is filled beyond its memory", () => {
    for (const [kind, memory] of [
      ["redis", "256Mi"],
      ["sentinel", "128Mi"],
      ["proxy", "512Mi"],
    ] as const) {
      const resources = { requests: { cpu: "50m", memory }, limits: { memory } };
      assert.deepEqual(
        podsByKind(standard)[kind].containers.map((container) => container.resources),
        [resources],
      );
    }
  });

  it("lets a drain take one pod of a kind at a time, by a budget over all of them", () => {
    const budgets = inputsOf(standard, "PodDisruptionBudget").map(({ name, spec }) => [name, spec]);
    const budget = (component: string, minAvailable: number): unknown => {
      const labels = { "app.kubernetes.io/name": "redis-ha", "app.kubernetes.io/component": component };
      return [component, { minAvailable, selector: { matchLabels: labels } }];
    };
    assert.deepEqual(budgets, [budget("sentinel", 2), budget("redis", 2), budget("proxy", 1)]);
  });

  it("doesn't block a drain with the budget of a single proxy", async () => {
    const single = await deploy({ ...prebuilt, "proxy:replicas": "1" });
    assert.deepEqual(
      inputsOf(single, "PodDisruptionBudget").map(({ name }) => name),
      ["sentinel", "redis"],
    );
  });

  it("gives a proxy the time to take the clients that still come, and a new one the time to be known", async () => {
    const patient = await deploy({ ...prebuilt, "proxy:stopDelaySeconds": "90" });
    const grace = (deployment: Deployment): [string, number][] =>
      Object.entries(podsByKind(deployment)).map(([kind, pod]) => [kind, pod.terminationGracePeriodSeconds]);
    assert.deepEqual(grace(standard), [
      ["redis", 60],
      ["sentinel", 60],
      ["proxy", 65],
    ]);
    assert.deepEqual(grace(patient).at(-1), ["proxy", 150]);
    const proxy = inputsOf(standard, "Deployment").find(({ name }) => name === "proxy");
    assert.ok(proxy);
    const { minReadySeconds, strategy } = proxy.spec as Record<string, unknown>;
    assert.deepEqual(
      [minReadySeconds, strategy],
      [2, { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } }],
    );
  });

  it("makes claims of the configured access mode", async () => {
    const modes = (deployment: Deployment): unknown[] => [
      ...new Set(
        inputsOf(deployment, "PersistentVolumeClaim").flatMap(
          ({ spec }) => (spec as { accessModes: string[] }).accessModes,
        ),
      ),
    ];
    assert.deepEqual(modes(standard), ["ReadWriteOnce"]);
    assert.deepEqual(modes(await deploy({ ...prebuilt, "redis:accessMode": "ReadWriteOncePod" })), [
      "ReadWriteOncePod",
    ]);
  });

  it("lets nobody run, and tells of, pods in its namespace that aren't restricted", () => {
    const [labels] = inputsOf(standard, "Namespace").map(
      ({ metadata }) => (metadata as { labels: Record<string, string> }).labels,
    );
    assert.ok(labels);
    for (const mode of ["enforce", "audit", "warn"]) {
      assert.equal(labels[`pod-security.kubernetes.io/${mode}`], "restricted");
    }
  });

  it("has no rights in the cluster's API", () => {
    assert.deepEqual(
      standard.resources.filter(({ type }) => /rbac|ServiceAccount/.test(type)),
      [],
    );
  });
});
