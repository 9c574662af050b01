import { setTimeout as delay } from "node:timers/promises";
import { InitializationFailure, type Properties } from "../provider-program.ts";
import type { KubeClient, KubeObject } from "./kube-client.ts";
import {
  claimReadiness,
  deploymentReadiness,
  podProblems,
  type Readiness,
  serviceReadiness,
} from "./readiness.ts";
import { waitedFor } from "./wait-for.ts";

const standardTimeoutSeconds = 600;
/** A claim's time-out is fixed, whatever the resource says. */
const claimTimeoutSeconds = 300;
const everyMs = 200;
const settleMs = 10_000;

/** How an object is waited for. */
export interface SettleOptions {
  readonly client: KubeClient;
  /** `customTimeouts` in seconds; 0: the annotation's, else 10 min. */
  readonly timeoutSeconds: number;
  /** Pulumi was told to stop (Ctrl-C). */
  readonly cancelled: AbortSignal;
  /** What becomes the resource's state. */
  readonly toState: (object: KubeObject) => Properties;
}

/**
 * Waits until an object is ready, and gives its state then. The first look is at the answer to the change itself, as the genuine
 * provider's is: its informers may lag, and an old state that satisfies a rule does so at once.
 *
 * @throws {InitializationFailure} after the time-out, and when Pulumi was told to stop.
 */
export async function settle(object: KubeObject, options: SettleOptions): Promise<Properties> {
  const { client, cancelled, toState } = options;
  const annotations = (object.metadata.annotations ?? {}) as Record<string, string>;
  if (annotations["pulumi.com/skipAwait"] === "true") return toState(object);
  const seconds =
    object.kind === "PersistentVolumeClaim"
      ? claimTimeoutSeconds
      : options.timeoutSeconds || Number(annotations["pulumi.com/timeoutSeconds"] || standardTimeoutSeconds);
  const deadline = performance.now() + seconds * 1000;
  const wanted = annotations["pulumi.com/waitFor"];
  const look = wanted === undefined ? watcherOf(client) : (object: KubeObject) => waitedFor(object, wanted);
  let live = object;
  for (;;) {
    const readiness = await look(live);
    if (readiness.ready) return toState(live);
    const stopped = cancelled.aborted ? "the operation was cancelled" : undefined;
    if (stopped !== undefined || performance.now() > deadline) {
      throw await failure(live, `${stopped ?? `not ready after ${seconds} s`}: ${readiness.reason}`, options);
    }
    await delay(everyMs);
    live = (await client.get(object)) ?? live;
  }
}

/** One look, as `pulumi refresh` takes it. @throws {InitializationFailure} when a Deployment or Service is not ready. */
export async function lookOnce(
  object: KubeObject,
  options: Pick<SettleOptions, "client" | "toState">,
): Promise<void> {
  const annotations = (object.metadata.annotations ?? {}) as Record<string, string>;
  if (annotations["pulumi.com/skipAwait"] === "true") return;
  if (object.kind !== "Deployment" && object.kind !== "Service") return;
  const readiness =
    object.kind === "Service"
      ? serviceReadiness(object, { ...(await endpointsOf(options.client, object)), settled: true })
      : await watcherOf(options.client)(object);
  if (!readiness.ready) throw await failure(object, readiness.reason, options);
}

async function failure(
  live: KubeObject,
  reason: string,
  { client, toState }: Pick<SettleOptions, "client" | "toState">,
): Promise<InitializationFailure> {
  const id = idOf(live);
  return new InitializationFailure(id, toState(live), [
    `the Kubernetes API server reported that "${id}" failed to fully initialize or become live: ${reason}`,
    ...(await problemsOf(client, live)),
  ]);
}

/** `namespace/name` */
export function idOf({ metadata }: KubeObject): string {
  return metadata.namespace === undefined ? `${metadata.name}` : `${metadata.namespace}/${metadata.name}`;
}

function watcherOf(client: KubeClient): (object: KubeObject) => Promise<Readiness> {
  const settling = new Settling(settleMs);
  return async (object) => {
    const namespace = object.metadata.namespace ?? "default";
    switch (object.kind) {
      case "Deployment": {
        const [replicaSets, claims] = await Promise.all([
          client.list("apps/v1", "ReplicaSet", namespace),
          client.list("v1", "PersistentVolumeClaim", namespace),
        ]);
        return deploymentReadiness(object, { replicaSets, claims });
      }
      case "Service": {
        const { pending, version } = await endpointsOf(client, object);
        return serviceReadiness(object, { pending, settled: settling.at(performance.now(), version) });
      }
      case "PersistentVolumeClaim":
        return claimReadiness(object, await bindingModeOf(client, object));
      default:
        return { ready: true };
    }
  };
}

/** Tells when a while has passed since a change. Each change has a timer of its own: a later one doesn't stop an earlier one's. */
export class Settling {
  readonly #afterMs: number;
  #version: string | undefined;
  #timers: number[] = [];
  #settled = false;

  constructor(afterMs: number) {
    this.#afterMs = afterMs;
  }

  /** @param version of the object that is watched; undefined: it doesn't exist yet. */
  at(now: number, version: string | undefined): boolean {
    if (version !== undefined && version !== this.#version) {
      this.#version = version;
      this.#settled = false;
      this.#timers.push(now + this.#afterMs);
    }
    const due = this.#timers.filter((at) => at <= now);
    if (due.length > 0) {
      this.#settled = true;
      this.#timers = this.#timers.filter((at) => at > now);
    }
    return this.#settled;
  }
}

async function endpointsOf(
  client: KubeClient,
  { metadata }: KubeObject,
): Promise<{ pending: boolean; version: string | undefined }> {
  const endpoints = await client.get({
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: { name: metadata.name ?? "", namespace: metadata.namespace ?? "default" },
  });
  const subsets = (endpoints?.subsets ?? []) as { notReadyAddresses?: unknown[] }[];
  return {
    pending: subsets.some(({ notReadyAddresses = [] }) => notReadyAddresses.length > 0),
    version: endpoints?.metadata.resourceVersion as string | undefined,
  };
}

async function bindingModeOf(client: KubeClient, { spec }: KubeObject): Promise<string | undefined> {
  const name = ((spec ?? {}) as { storageClassName?: string }).storageClassName;
  if (!name) return undefined;
  const storageClass = await client.get({
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { name },
  });
  return storageClass?.volumeBindingMode as string | undefined;
}

async function problemsOf(client: KubeClient, { kind, metadata, spec }: KubeObject): Promise<string[]> {
  if (kind !== "Deployment") return [];
  const labels = (spec as { selector: { matchLabels: Record<string, string> } }).selector.matchLabels;
  const selector = Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(",");
  return podProblems(await client.list("v1", "Pod", metadata.namespace ?? "default", selector));
}
