import type { KubeConfig, KubernetesObject, V1PersistentVolumeClaim } from "@kubernetes/client-node";
import { boundedClient } from "./cluster-access.ts";
import type { FixedKind, FixedNames } from "./fixed-names.ts";
import type { Marks } from "./marks.ts";
import { type Metadata, othersMetadata } from "./others-metadata.ts";

/** An object that is there already. */
export interface FoundObject extends Marks {
  readonly kind: FixedKind | "Pod";
  readonly name: string;
}

/** A volume claim that is there already. */
export interface FoundClaim extends Marks {
  readonly name: string;
  readonly terminating: boolean;
  readonly bound: boolean;
  /** What it asks for, and what it has, as Kubernetes quantities. */
  readonly request: string | undefined;
  readonly capacity: string | undefined;
  readonly storageClass: string | undefined;
  readonly accessModes: readonly string[];
  /** What others gave it. */
  readonly others: Metadata;
}

/** The namespace, when it is there already. */
export interface FoundNamespace extends Marks {
  readonly terminating: boolean;
  readonly others: Metadata;
}

/** What the cluster holds at the place where the stack wants to be. */
export interface Survey {
  /** Undefined: there is no such namespace. */
  readonly namespace: FoundNamespace | undefined;
  /** The claims with names that the stack uses. */
  readonly claims: readonly FoundClaim[];
  /** Other objects with such names. */
  readonly objects: readonly FoundObject[];
  /** Pods with the label that the stack's policies and budgets select by. */
  readonly pods: readonly FoundObject[];
  /** Whether volumes of a StorageClass can grow, by its name, as far as it may be read. */
  readonly expandable: ReadonlyMap<string, boolean>;
}

/** Nothing is there: what is assumed where there is no cluster to ask. */
export const emptySurvey: Survey = {
  namespace: undefined,
  claims: [],
  objects: [],
  pods: [],
  expandable: new Map(),
};

/** What {@link surveyNamespace} looks at. */
export interface SurveyOptions {
  readonly namespace: string;
  readonly names: FixedNames;
  /** Label selector of the stack's pods. */
  readonly podSelector: string;
}

/**
 * Reads what is in a namespace. It changes nothing.
 *
 * @throws {SurveyError} when the cluster can't be asked, or doesn't let the user read what decides.
 */
export async function surveyNamespace(config: KubeConfig, options: SurveyOptions): Promise<Survey> {
  const { namespace, names, podSelector } = options;
  const k8s = await import("@kubernetes/client-node");
  const core = await boundedClient(config, k8s.CoreV1Api);
  const apps = await boundedClient(config, k8s.AppsV1Api);
  const policy = await boundedClient(config, k8s.PolicyV1Api);
  const network = await boundedClient(config, k8s.NetworkingV1Api);
  const storage = await boundedClient(config, k8s.StorageV1Api);
  const ask = new Questions(config);

  // Whoever is given only a namespace may not read the namespace itself: it is there then.
  const found = await ask.optional(core.readNamespace({ name: namespace }), { forbidden: {} });
  if (found === undefined) return emptySurvey;

  const inside = { namespace };
  const listed = <T extends KubernetesObject>(
    kind: FixedKind,
    list: () => Promise<{ items: T[] }>,
  ): Promise<FoundObject[]> => {
    const wanted = new Set(names.objects[kind]);
    if (wanted.size === 0) return Promise.resolve([]);
    return ask
      .optional(list(), { forbidden: { items: [] } })
      .then((result) => named(kind, result?.items ?? []).filter(({ name }) => wanted.has(name)));
  };
  const [claims, pods, ...objects] = await Promise.all([
    ask.required(core.listNamespacedPersistentVolumeClaim(inside)),
    ask.optional(core.listNamespacedPod({ ...inside, labelSelector: podSelector }), {
      forbidden: { items: [] },
    }),
    listed("Deployment", () => apps.listNamespacedDeployment(inside)),
    listed("Service", () => core.listNamespacedService(inside)),
    listed("PodDisruptionBudget", () => policy.listNamespacedPodDisruptionBudget(inside)),
    listed("NetworkPolicy", () => network.listNamespacedNetworkPolicy(inside)),
    listed("Secret", () => core.listNamespacedSecret(inside)),
  ]);
  const wanted = new Set(names.claims.map(({ name }) => name));
  const foundClaims = claims.items.map(describeClaim).filter(({ name }) => wanted.has(name));
  const classes = [...new Set(foundClaims.flatMap(({ storageClass }) => storageClass || []))];
  const expandable = await Promise.all(
    classes.map(async (name) => {
      const read = await ask.optional(storage.readStorageClass({ name }), { forbidden: undefined });
      return read === undefined ? [] : [[name, read.allowVolumeExpansion === true] as const];
    }),
  );
  return {
    namespace: {
      ...marksOf(found),
      terminating: found.metadata?.deletionTimestamp !== undefined,
      others: othersMetadata(found.metadata),
    },
    claims: foundClaims,
    objects: objects.flat(),
    pods: named("Pod", pods?.items ?? []),
    expandable: new Map(expandable.flat()),
  };
}

/** The cluster can't be asked. The message is a sentence for the user. */
export class SurveyError extends Error {
  override readonly name = "SurveyError";
}

/** Gets answers, and makes sentences of what goes wrong. */
class Questions {
  readonly #where: string;

  constructor(config: KubeConfig) {
    this.#where = `of context '${config.getCurrentContext()}' (${config.getCurrentCluster()?.server})`;
  }

  /** Undefined for what isn't there; `forbidden` for what may not be read. */
  async optional<T>(
    answer: Promise<T>,
    { forbidden }: { readonly forbidden: NoInfer<T> | undefined },
  ): Promise<T | undefined> {
    try {
      return await answer;
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (code === 404) return undefined;
      if (code === 403) return forbidden;
      throw this.#sentence(error);
    }
  }

  async required<T>(answer: Promise<T>): Promise<T> {
    return answer.catch((error: unknown) => {
      throw this.#sentence(error);
    });
  }

  #sentence(error: unknown): SurveyError {
    const { code, body } = error as { code?: unknown; body?: unknown };
    if (typeof code === "number") {
      return new SurveyError(
        `The cluster ${this.#where} answered ${code}: ${messageOf(body)}. Before anything is changed, redis-ha reads what is in the namespace: use a user who may.`,
      );
    }
    return new SurveyError(
      `The cluster ${this.#where} can't be reached: ${rootCause(error)}. Check that it runs and that the kubeconfig is right (kubectl get namespaces).`,
    );
  }
}

function messageOf(body: unknown): string {
  if (typeof body === "object" && body !== null && "message" in body) return String(body.message);
  return String(body ?? "no reason").slice(0, 300);
}

/** fetch says "fetch failed"; what happened is in the cause. */
function rootCause(error: unknown): string {
  let cause = error;
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause;
  if (cause instanceof AggregateError && cause.errors[0] instanceof Error) cause = cause.errors[0];
  return cause instanceof Error ? cause.message : String(cause);
}

function marksOf({ metadata }: KubernetesObject): Marks {
  return { labels: metadata?.labels, annotations: metadata?.annotations };
}

function named(kind: FoundObject["kind"], items: readonly KubernetesObject[]): FoundObject[] {
  return items.map((item) => ({ kind, name: item.metadata?.name ?? "", ...marksOf(item) }));
}

function describeClaim(claim: V1PersistentVolumeClaim): FoundClaim {
  const { metadata, spec, status } = claim;
  return {
    name: metadata?.name ?? "",
    ...marksOf(claim),
    terminating: metadata?.deletionTimestamp !== undefined,
    bound: status?.phase === "Bound",
    request: spec?.resources?.requests?.storage,
    capacity: status?.capacity?.storage,
    storageClass: spec?.storageClassName,
    accessModes: spec?.accessModes ?? [],
    others: othersMetadata(metadata),
  };
}
