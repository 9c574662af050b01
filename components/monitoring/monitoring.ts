import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../../settings/resolve-settings.ts";
import type { Naming } from "../naming.ts";
import { alertRules } from "./alert-rules.ts";
import { grafanaDashboard } from "./dashboard.ts";

/** Arguments of {@link Monitoring}. */
export interface MonitoringArgs {
  readonly naming: Naming;
  readonly namespace: pulumi.Input<string>;
  readonly settings: Pick<Settings, "monitoring" | "redis" | "sentinel" | "deployment">;
}

/** The labels of a pod that its metrics get: whose they are, and which part's. */
const podLabels = ["app.kubernetes.io/name", "app.kubernetes.io/component", "redis-ha/workload"];

/** What a Prometheus Operator and Grafana have to know, when settings ask for it: which pods to read, what is worth an alert, how it is shown. */
export class Monitoring extends pulumi.ComponentResource {
  constructor(name: string, args: MonitoringArgs, opts?: pulumi.ComponentResourceOptions) {
    super("redis-ha:index:Monitoring", name, {}, opts);
    const { naming, namespace, settings } = args;
    const { podMonitor, rules, dashboard, labels } = settings.monitoring;
    const metadata = {
      name: naming.object("redis-ha"),
      namespace,
      labels: { ...readLabels(labels), ...naming.common() },
    };
    const apiVersion = "monitoring.coreos.com/v1";
    if (podMonitor) {
      new k8s.apiextensions.CustomResource(
        naming.resource("pod-monitor"),
        {
          ...{ apiVersion, kind: "PodMonitor", metadata },
          spec: {
            selector: { matchLabels: naming.pods() },
            podTargetLabels: podLabels,
            podMetricsEndpoints: [{ port: "admin", path: "/metrics" }],
          },
        },
        { parent: this },
      );
    }
    if (rules) {
      const scope = {
        namespace: settings.deployment.namespace,
        name: naming.pods()["app.kubernetes.io/name"] ?? "",
        instances: settings.redis.instances,
        sentinels: settings.sentinel.count,
      };
      new k8s.apiextensions.CustomResource(
        naming.resource("prometheus-rule"),
        {
          ...{ apiVersion, kind: "PrometheusRule", metadata },
          spec: { groups: [{ name: "redis-ha", rules: alertRules(scope) }] },
        },
        { parent: this },
      );
    }
    if (dashboard) {
      new k8s.core.v1.ConfigMap(
        naming.resource("dashboard"),
        {
          metadata: {
            ...metadata,
            name: naming.object("redis-ha-dashboard"),
            labels: { ...metadata.labels, grafana_dashboard: "1" },
          },
          data: { "redis-ha.json": JSON.stringify(grafanaDashboard(), null, 1) },
        },
        { parent: this },
      );
    }
    this.registerOutputs({});
  }
}

function readLabels(labels: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    labels.map((label) => label.split("=")).map(([key = "", value = ""]) => [key, value]),
  );
}
