import type * as k8s from "@pulumi/kubernetes";

/** The user that both images run as, in number: Kubernetes can't check a name. Owner of the volumes by group. */
const userId = 65532;

/** What every pod of a stack keeps to. */
export const restrictedPod = {
  automountServiceAccountToken: false,
  // Service variables of the namespace (REDIS_PORT=tcp://…) would only confuse programs.
  enableServiceLinks: false,
  securityContext: {
    runAsNonRoot: true,
    runAsUser: userId,
    runAsGroup: userId,
    fsGroup: userId,
    fsGroupChangePolicy: "OnRootMismatch",
    seccompProfile: { type: "RuntimeDefault" },
  },
} as const satisfies Partial<k8s.types.input.core.v1.PodSpec>;

/** And every container. */
export const restrictedContainer = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ["ALL"] },
} satisfies k8s.types.input.core.v1.SecurityContext;
