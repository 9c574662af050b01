import { containersOf, podTemplateOf } from "../kubernetes-objects.ts";
import type { ResourceRule } from "../rule.ts";

interface Probe {
  readonly httpGet?: { readonly path?: string };
  readonly exec?: { readonly command?: readonly string[] };
  readonly periodSeconds?: number;
  readonly failureThreshold?: number;
}

const parts = new Set(["redis", "sentinel", "proxy"]);
const leastSeconds = 30;

/** A probe that asks for a role kills the replica that is to become master, and one that is quick kills a master that is only busy. */
export const patientLiveness: ResourceRule = {
  name: "patient-liveness",
  description:
    "Liveness is /livez or probe.sh alone, and patient: who is master is for the Sentinels to decide, a restart by the kubelet would be a failover.",
  check(resource) {
    const template = podTemplateOf(resource);
    const part = template?.metadata?.labels?.["app.kubernetes.io/component"] ?? "";
    if (template === undefined || !parts.has(part)) return [];
    return containersOf(template)
      .filter(({ name }) => name === part)
      .flatMap((container) =>
        (["livenessProbe", "startupProbe"] as const).flatMap((kind) => {
          const probe = (container as Readonly<Record<string, unknown>>)[kind] as Probe | undefined;
          if (probe === undefined) return [];
          const problems: string[] = [];
          if (!isOfTheProcess(probe))
            problems.push(
              `the ${kind} of '${part}' must ask /livez or run /opt/redis-ha/probe.sh without a word`,
            );
          if ((probe.periodSeconds ?? 10) * (probe.failureThreshold ?? 3) < leastSeconds)
            problems.push(`the ${kind} of '${part}' must give ${leastSeconds} s before it restarts anything`);
          return problems;
        }),
      );
  },
};

function isOfTheProcess({ httpGet, exec }: Probe): boolean {
  if (httpGet !== undefined) return httpGet.path === "/livez" && exec === undefined;
  return exec?.command?.length === 1 && exec.command[0] === "/opt/redis-ha/probe.sh";
}
