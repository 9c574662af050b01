import type { ResourceRule, StackRule } from "./rule.ts";
import { disruptionBudgets } from "./rules/disruption-budgets.ts";
import { innerServices } from "./rules/inner-services.ts";
import { networkIsolation } from "./rules/network-isolation.ts";
import { onePodOnAVolume } from "./rules/one-pod-on-a-volume.ts";
import { oneWriterOfAClaim } from "./rules/one-writer-of-a-claim.ts";
import { patientLiveness } from "./rules/patient-liveness.ts";
import { pinnedImages } from "./rules/pinned-images.ts";
import { resourceRequests } from "./rules/resource-requests.ts";
import { restrictedNamespaces } from "./rules/restricted-namespaces.ts";
import { restrictedPods } from "./rules/restricted-pods.ts";
import { secretsAsFiles } from "./rules/secrets-as-files.ts";
import { secretsInSecrets } from "./rules/secrets-in-secrets.ts";

/** Rules about one resource alone. */
export const resourceRules: readonly ResourceRule[] = [
  restrictedPods,
  resourceRequests,
  pinnedImages,
  secretsAsFiles,
  onePodOnAVolume,
  patientLiveness,
  restrictedNamespaces,
  innerServices,
];

/** Rules about all resources of a stack. */
export const stackRules: readonly StackRule[] = [
  secretsInSecrets,
  networkIsolation,
  disruptionBudgets,
  oneWriterOfAClaim,
];
