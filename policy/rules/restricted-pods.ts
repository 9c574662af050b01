import {
  type Container,
  containersOf,
  type PodSpec,
  podTemplateOf,
  type SecurityContext,
} from "../kubernetes-objects.ts";
import type { ResourceRule } from "../rule.ts";

export const allowedVolumes = new Set([
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "persistentVolumeClaim",
  "projected",
  "secret",
]);

/** The restricted Pod Security Standard, and what goes beyond it: no writable image, no token, no service variables. */
export const restrictedPods: ResourceRule = {
  name: "restricted-pods",
  description:
    "Pods keep to the restricted Pod Security Standard, with a read-only root file system and without a service-account token.",
  check(resource) {
    const template = podTemplateOf(resource);
    if (template === undefined) return [];
    const spec = template.spec ?? {};
    return [
      ...podProblems(spec),
      ...containersOf(template).flatMap((container) =>
        containerProblems(container, spec.securityContext ?? {}).map(
          (problem) => `container '${container.name ?? ""}': ${problem}`,
        ),
      ),
    ];
  },
};

function podProblems(spec: PodSpec): string[] {
  const problems: string[] = [];
  for (const field of ["hostNetwork", "hostPID", "hostIPC"] as const) {
    if (spec[field]) problems.push(`${field} must not be true`);
  }
  if (spec.automountServiceAccountToken !== false)
    problems.push("automountServiceAccountToken must be false");
  if (spec.enableServiceLinks !== false) problems.push("enableServiceLinks must be false");
  for (const volume of spec.volumes ?? []) {
    const kind = Object.keys(volume).find((key) => key !== "name") ?? "emptyDir";
    if (!allowedVolumes.has(kind)) problems.push(`volume '${volume.name}' is a ${kind}, which isn't allowed`);
  }
  return problems;
}

function containerProblems({ securityContext = {}, ports = [] }: Container, pod: SecurityContext): string[] {
  const problems: string[] = [];
  const { capabilities, privileged, allowPrivilegeEscalation, readOnlyRootFilesystem } = securityContext;
  if ((securityContext.runAsNonRoot ?? pod.runAsNonRoot) !== true) problems.push("runAsNonRoot must be true");
  if ((securityContext.runAsUser ?? pod.runAsUser) === 0) problems.push("runAsUser must not be 0");
  const profile = (securityContext.seccompProfile ?? pod.seccompProfile)?.type;
  if (profile !== "RuntimeDefault" && profile !== "Localhost")
    problems.push("seccompProfile must be RuntimeDefault or Localhost");
  if (privileged === true) problems.push("privileged must not be true");
  if (allowPrivilegeEscalation !== false) problems.push("allowPrivilegeEscalation must be false");
  if (readOnlyRootFilesystem !== true) problems.push("readOnlyRootFilesystem must be true");
  if (!capabilities?.drop?.includes("ALL")) problems.push("capabilities must drop ALL");
  if ((capabilities?.add ?? []).length > 0) problems.push("capabilities must add none");
  if (ports.some(({ hostPort }) => hostPort !== undefined)) problems.push("hostPort must not be used");
  return problems;
}
