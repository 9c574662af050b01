import { z } from "zod";
import { cpus, json, quantity, type Setting, text } from "./kinds.ts";
import * as shapes from "./object-shapes.ts";

/** Keys that each of the three parts has: where its pods run, what they are called, and what runs in them beside it. */
export function podSettings(who: string, patched: "deployment" | "deployment and service") {
  const nothing = { derived: "none" } as const;
  return {
    cpu: cpus({
      description: `CPU that each ${who} pod requests. There is no limit: one that is throttled looks dead to the others.`,
      min: "10m",
      fallback: "50m",
    }),
    memoryRequest: quantity({
      description: `Memory that each ${who} pod requests. Less than the limit, and a full node may end the pod.`,
      min: "16Mi",
      derived: "the limit",
    }),
    nodeSelector: map({
      description: `Labels of the nodes on which ${who} pods may run.`,
      shape: shapes.nodeSelector,
      example: '{"disktype":"ssd"}',
    }),
    tolerations: json<readonly shapes.Toleration[]>({
      ...nothing,
      description: `Taints of nodes that ${who} pods tolerate, beside those of lost nodes.`,
      shape: z.array(shapes.toleration).max(50),
      argument: "readonly Toleration[]",
      allowed: "a JSON list of tolerations",
      example: '[{"key":"dedicated","operator":"Equal","value":"redis","effect":"NoSchedule"}]',
    }),
    affinity: json<shapes.Affinity>({
      ...nothing,
      description: `Affinity of ${who} pods, beside the rule that keeps them apart (redis-ha:spread).`,
      shape: shapes.affinity,
      argument: "Affinity",
      allowed: "a JSON object with nodeAffinity, podAffinity and podAntiAffinity",
      example:
        '{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchExpressions":[{"key":"pool","operator":"In","values":["data"]}]}]}}}',
    }),
    podAnnotations: map({
      description: `Annotations of ${who} pods.`,
      shape: shapes.annotations,
      example: '{"sidecar.istio.io/inject":"false"}',
    }),
    podLabels: map({
      description: `Labels of ${who} pods, beside redis-ha's own.`,
      shape: shapes.labels,
      example: '{"cost-center":"shop"}',
    }),
    priorityClass: text({
      description: `PriorityClass of ${who} pods.`,
      derived: "redis-ha:priorityClass",
      pattern: /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/,
      allowed: "the name of a PriorityClass (kubectl get priorityclass)",
      example: "databases",
    }),
    extraEnv: json<readonly shapes.Variable[]>({
      ...nothing,
      description: `Environment of the ${who} container, beside redis-ha's own. Secrets come as files.`,
      shape: z.array(shapes.variable).max(100),
      argument: "readonly Variable[]",
      allowed: "a JSON list of {name, value} or {name, valueFrom}",
      example: '[{"name":"TZ","value":"Europe/Berlin"}]',
    }),
    extraVolumes: json<readonly shapes.ExtraVolume[]>({
      ...nothing,
      description: `Volumes of ${who} pods, beside redis-ha's own.`,
      shape: z.array(shapes.volume).max(50) as unknown as z.ZodType<readonly shapes.ExtraVolume[]>,
      argument: "readonly ExtraVolume[]",
      allowed: `a JSON list of volumes, each with one source: ${shapes.volumeSources.join(", ")}`,
      example: '[{"name":"corporate-ca","configMap":{"name":"corporate-ca"}}]',
    }),
    extraMounts: json<readonly shapes.Mount[]>({
      ...nothing,
      description: `Where the ${who} container finds volumes of extraVolumes.`,
      shape: z.array(shapes.mount).max(50),
      argument: "readonly Mount[]",
      allowed: "a JSON list of {name, mountPath, subPath?, readOnly?}",
      example: '[{"name":"corporate-ca","mountPath":"/etc/corporate-ca","readOnly":true}]',
    }),
    sidecars: containers(
      `Containers beside the ${who} container. They are restricted as it is, request CPU and memory, limit memory, and name their image by digest. The pod is ready when they are, too.`,
    ),
    initContainers: containers(
      `Containers that run before the ${who} container starts. The same rules as for sidecars.`,
    ),
    patches: json<shapes.Patches>({
      ...nothing,
      description: `Last resort: JSON merge patches of the ${who} ${patched}, applied after everything else; lists of named things merge by name. What would break a promise of redis-ha is refused at preview.`,
      shape: patched === "deployment" ? shapes.deploymentPatch : shapes.patches,
      argument: patched === "deployment" ? 'Pick<Patches, "deployment">' : "Patches",
      allowed: `a JSON object with ${patched === "deployment" ? "deployment" : "deployment, service or both"}`,
      example: '{"deployment":{"spec":{"template":{"spec":{"schedulerName":"my-scheduler"}}}}}',
    }),
  };
}

/** A JSON object of texts. */
export function map({
  description,
  shape,
  example,
}: {
  readonly description: string;
  readonly shape: z.ZodType<shapes.Labels>;
  readonly example: string;
}): Setting<shapes.Labels> {
  return json({
    description,
    derived: "none",
    shape,
    argument: "Labels",
    allowed: "a JSON object of texts",
    example,
  });
}

function containers(description: string): Setting<readonly shapes.ExtraContainer[]> {
  return json<readonly shapes.ExtraContainer[]>({
    description,
    derived: "none",
    shape: z.array(shapes.container).max(20),
    argument: "readonly ExtraContainer[]",
    allowed: "a JSON list of containers",
    example: `[{"name":"agent","image":"registry.example.com/agent@sha256:${"0".repeat(64)}","resources":{"requests":{"cpu":"10m","memory":"32Mi"},"limits":{"memory":"32Mi"}}}]`,
  });
}
