import assert from "node:assert/strict";
import type { AlertRule } from "../../components/monitoring/alert-rules.ts";
import { grafanaDashboard } from "../../components/monitoring/dashboard.ts";
import { type Deployment, deploy } from "../support/deploy.ts";

const prebuilt = { "images:sentinel": "example/sentinel:1", "images:proxy": "example/proxy:1" };

interface Custom {
  readonly kind: string;
  readonly metadata: { readonly labels: Record<string, string>; readonly namespace: string };
  readonly spec: {
    readonly selector: { readonly matchLabels: Record<string, string> };
    readonly podMetricsEndpoints: readonly { readonly port: string }[];
    readonly podTargetLabels: readonly string[];
    readonly groups: readonly { readonly rules: readonly AlertRule[] }[];
  };
}

interface Pod {
  readonly metadata: { readonly labels: Record<string, string> };
  readonly spec: {
    readonly containers: readonly {
      readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
    }[];
  };
}

function customs({ resources }: Deployment): Custom[] {
  return resources
    .filter(({ type }) => type.startsWith("kubernetes:monitoring.coreos.com"))
    .map(({ inputs }) => inputs as unknown as Custom);
}

const all = {
  ...prebuilt,
  "monitoring:podMonitor": "true",
  "monitoring:rules": "true",
  "monitoring:labels": "release=prometheus",
};

describe("what a Prometheus Operator is told", function () {
  this.timeout(60_000);

  it("is nothing unless it is asked for: its kinds may not be there", async () => {
    assert.deepEqual(customs(await deploy(prebuilt)), []);
  });

  it("is where the metrics of Redis and the proxies are, and of no Sentinel, which has none", async () => {
    const deployment = await deploy(all);
    const monitor = customs(deployment).find(({ kind }) => kind === "PodMonitor");
    assert.ok(monitor);
    assert.equal(monitor.metadata.labels.release, "prometheus");
    const pods = deployment.resources
      .filter(({ type }) => type.endsWith(":Deployment"))
      .map(({ inputs }) => (inputs.spec as { template: Pod }).template);
    const [{ port } = { port: "" }] = monitor.spec.podMetricsEndpoints;
    const read = pods.filter(
      ({ metadata, spec }) =>
        Object.entries(monitor.spec.selector.matchLabels).every(
          ([name, value]) => metadata.labels[name] === value,
        ) &&
        spec.containers.some(({ ports }) =>
          ports.some(({ name, containerPort }) => name === port && containerPort === 8080),
        ),
    );
    const kinds = read.map(({ metadata }) => metadata.labels["app.kubernetes.io/component"]);
    assert.deepEqual(kinds.toSorted(), ["proxy", "redis", "redis", "redis"]);
    for (const label of monitor.spec.podTargetLabels)
      assert.ok(
        read.every(({ metadata }) => metadata.labels[label] !== undefined),
        label,
      );
  });

  it("is which alerts there are, about this set alone and with its counts", async () => {
    const rule = customs(
      await deploy({
        ...all,
        "redis:instances": "5",
        "redis-ha:namePrefix": "web",
        "redis-ha:namespace": "caches",
      }),
    ).find(({ kind }) => kind === "PrometheusRule");
    const rules = rule?.spec.groups.flatMap((group) => group.rules) ?? [];
    assert.ok(rules.length >= 15);
    for (const { alert, expr, annotations } of rules) {
      const metrics = expr.match(/redis_[a-z0-9_]+\{/g) ?? [];
      const scoped = expr.match(/\{namespace="caches",app_kubernetes_io_name="redis-ha-web"/g) ?? [];
      assert.ok(metrics.length > 0 && metrics.length === scoped.length, `${alert}: ${expr}`);
      assert.ok(annotations.summary.length > 10 && annotations.description.length > 10, alert);
    }
    assert.match(rules.find(({ alert }) => alert === "RedisHaInstanceMissing")?.expr ?? "", /< 5$/);
  });

  it("is a dashboard in a ConfigMap that Grafana's sidecar finds, in its own namespace", async () => {
    const { resources } = await deploy({ ...prebuilt, "monitoring:dashboard": "true" });
    const maps = resources.filter(({ type }) => type === "kubernetes:core/v1:ConfigMap");
    const made = maps.map(
      ({ inputs }) => inputs as unknown as { metadata: Custom["metadata"]; data: Record<string, string> },
    );
    const [map] = made.filter(({ metadata }) => metadata.labels.grafana_dashboard === "1");
    assert.ok(map);
    assert.equal(map.metadata.labels["app.kubernetes.io/name"], "redis-ha");
    assert.deepEqual(JSON.parse(map.data["redis-ha.json"] ?? ""), grafanaDashboard());
  });
});
