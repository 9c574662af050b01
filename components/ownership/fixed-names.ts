import type { Settings } from "../../settings/resolve-settings.ts";
import { type ClusterNames, endpointPart } from "../topology/site.ts";
import type { Topology } from "../topology/topology.ts";
import type { Workload } from "../topology/workload.ts";

/** Kinds of objects whose names are fixed inside a namespace. */
export type FixedKind = "Deployment" | "Service" | "PodDisruptionBudget" | "NetworkPolicy" | "Secret";

/** A claim that the stack wants. */
export interface WantedClaim {
  readonly name: string;
  /** Size as a Kubernetes quantity. */
  readonly storage: string;
  /** The setting that says the size. */
  readonly setting: "redis:storage" | "sentinel:storage";
  /** The StorageClass that the settings name. Undefined: none, a claim keeps what it has. */
  readonly storageClass?: string | undefined;
}

/** Everything in its namespace that the stack calls by a fixed name: what somebody else may have there already. */
export interface FixedNames {
  readonly claims: readonly WantedClaim[];
  readonly objects: Readonly<Record<FixedKind, readonly string[]>>;
}

/** Name of a workload's claim. */
export function claimName(names: Pick<ClusterNames, "object">, { name }: Workload): string {
  return names.object(`pvc-${name}`);
}

/** The fixed names of a stack. Secrets have names of their own, but for those that cert-manager writes. */
export function fixedNames(
  { redis, sentinels, proxy }: Topology,
  { network, tls, redis: volumes }: Pick<Settings, "network" | "tls" | "redis">,
  names: ClusterNames,
): FixedNames {
  const parts = [...redis, ...sentinels];
  const kinds = tls.mode === "all" ? ["proxy", "server"] : ["proxy"];
  return {
    claims: parts.flatMap((workload) =>
      workload.volume === undefined
        ? []
        : [
            {
              name: claimName(names, workload),
              storage: workload.volume.storage,
              setting: workload.part.kind === "redis" ? "redis:storage" : "sentinel:storage",
              storageClass: volumes.storageClass,
            },
          ],
    ),
    objects: {
      Deployment: [...parts, proxy].map(({ name }) => names.object(name)),
      Service: [
        ...[...parts.map(({ part }) => part), endpointPart].map((part) => names.service(part)),
        names.sentinels,
      ],
      PodDisruptionBudget: ["redis", "sentinel", ...(proxy.replicas > 1 ? ["proxy"] : [])].map(names.object),
      NetworkPolicy: network.policies
        ? ["deny-all", "redis", "sentinel", "proxy"].map((name) => names.object(`redis-ha-${name}`))
        : [],
      Secret:
        tls.mode !== "off" && tls.issuer !== undefined
          ? kinds.map((kind) => names.object(`redis-ha-tls-${kind}`))
          : [],
    },
  };
}
