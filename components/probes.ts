import type * as k8s from "@pulumi/kubernetes";
import type { Workload } from "./topology/workload.ts";

type Probes = Pick<k8s.types.input.core.v1.Container, "livenessProbe" | "readinessProbe" | "startupProbe">;

/**
 * The probes of a workload. Liveness is generous and never looks at roles or peers: a Redis that blocks must be failed over
 * by the Sentinels, not killed by the kubelet. Readiness is quick, because a rollout waits for it.
 */
export function probesOf({ part, ports }: Workload): Probes {
  if (part.kind === "sentinel") {
    const command = ["/opt/redis-ha/probe.sh"];
    return {
      readinessProbe: { exec: { command: [...command, "ready"] }, periodSeconds: 2, timeoutSeconds: 3 },
      livenessProbe: { exec: { command }, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
    };
  }
  const port = ports.find(({ name }) => name === "admin")?.port ?? 0;
  return {
    readinessProbe: { httpGet: { path: "/readyz", port }, periodSeconds: 1, timeoutSeconds: 2 },
    livenessProbe: {
      httpGet: { path: "/livez", port },
      periodSeconds: 10,
      timeoutSeconds: 5,
      failureThreshold: 6,
    },
  };
}
