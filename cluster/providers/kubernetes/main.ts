// STAND-IN for the provider plugin `kubernetes`, for machines that can't download the genuine one.
import { setTimeout as delay } from "node:timers/promises";
import packageJson from "@pulumi/kubernetes/package.json" with { type: "json" };
import {
  InitializationFailure,
  type OperationOptions,
  type Properties,
  type ProviderProgram,
  parseUrn,
  unknownValue,
} from "../provider-program.ts";
import { serveProvider } from "../serve.ts";
import { KubeClient, KubeError, type KubeObject } from "./kube-client.ts";
import { completeObject } from "./naming.ts";
import { podProblems, readinessOf } from "./readiness.ts";
import { deletesFirst, diffObjects } from "./replace-rules.ts";

const standardTimeoutSeconds = 600;
let client = new KubeClient({ kubeconfig: undefined, context: undefined });
let defaultNamespace = "default";
let upsert = false;
let secretsMutable = false;

const program: ProviderProgram = {
  version: packageJson.version,
  configure: (configuration) => {
    const text = (name: string): string | undefined =>
      configuration[name] ? String(configuration[name]) : undefined;
    client = new KubeClient({ kubeconfig: text("kubeconfig"), context: text("context") });
    defaultNamespace = text("namespace") ?? "default";
    upsert = text("upsertExistingObjects") === "true";
    secretsMutable = text("enableSecretMutable") === "true";
  },
  check: async (resource, news, olds) => ({ inputs: completeObject(resource, news, olds, defaultNamespace) }),
  diff: async ({ urn }, oldInputs, news) => ({
    changes: diffObjects(parseUrn(urn).type.split(":")[2] ?? "", oldInputs, news, { secretsMutable }),
    deleteBeforeReplace: deletesFirst(oldInputs, news),
  }),
  create: async (_resource, inputs, options) => {
    const object = inputs as unknown as KubeObject;
    if (options.preview) return { id: "", outputs: previewOf(object) };
    const created = upsert ? await client.apply(object) : await createNew(object);
    return { id: idOf(created), outputs: await settle(created, options) };
  },
  update: async (_resource, _id, oldOutputs, news, options) => {
    const object = news as unknown as KubeObject;
    if (options.preview) return { outputs: { ...oldOutputs, ...news } };
    return { outputs: await settle(await client.apply(object), options) };
  },
  read: async (_resource, id, inputs, outputs) => {
    const wanted = (Object.keys(inputs).length > 0 ? inputs : outputs) as unknown as KubeObject;
    const live = await client.get(wanted);
    if (live === undefined) return undefined;
    return { id, inputs: liveInputs(inputs, live) as Properties, outputs: withoutManagedFields(live) };
  },
  delete: async (_resource, _id, outputs, { timeoutSeconds }) => {
    const object = outputs as unknown as KubeObject;
    const policy = annotationsOf(object)["pulumi.com/deletionPropagationPolicy"] ?? "Foreground";
    try {
      await client.delete(object, policy[0]?.toUpperCase() + policy.slice(1));
    } catch (error) {
      if (error instanceof KubeError && error.status === 404) return;
      throw error;
    }
    const deadline = performance.now() + (timeoutSeconds || standardTimeoutSeconds) * 1000;
    while ((await client.get(object)) !== undefined) {
      if (performance.now() > deadline) throw new Error(`${idOf(object)} still exists: a finalizer holds it`);
      await delay(200);
    }
  },
};

async function createNew(object: KubeObject): Promise<KubeObject> {
  try {
    return await client.create(object);
  } catch (error) {
    if (error instanceof KubeError && error.reason === "AlreadyExists") {
      throw new Error(
        `resource "${idOf(object)}" was not successfully created by the Kubernetes API server: ${error.message}`,
      );
    }
    throw error;
  }
}

/** Waits until the object is ready, and gives its state then. */
async function settle(object: KubeObject, { timeoutSeconds }: OperationOptions): Promise<Properties> {
  const annotations = annotationsOf(object);
  if (annotations["pulumi.com/skipAwait"] === "true") return withoutManagedFields(object);
  const seconds =
    timeoutSeconds || Number(annotations["pulumi.com/timeoutSeconds"] ?? standardTimeoutSeconds);
  const deadline = performance.now() + seconds * 1000;
  let live = object;
  for (;;) {
    const readiness = readinessOf(live, await hasEndpoints(live));
    if (readiness.ready) return withoutManagedFields(live);
    if (performance.now() > deadline) {
      const reasons = [
        `${idOf(object)} is not ready after ${seconds} s: ${readiness.reason}`,
        ...(await problemsOf(live)),
      ];
      throw new InitializationFailure(idOf(object), withoutManagedFields(live), reasons);
    }
    await delay(200);
    live = (await client.get(object)) ?? live;
  }
}

async function hasEndpoints({ kind, metadata }: KubeObject): Promise<boolean> {
  if (kind !== "Service") return false;
  const selector = `kubernetes.io/service-name=${metadata.name}`;
  const slices = await client.list(
    "discovery.k8s.io/v1",
    "EndpointSlice",
    metadata.namespace ?? "default",
    selector,
  );
  return slices.some(({ endpoints }) =>
    ((endpoints ?? []) as { conditions?: { ready?: boolean } }[]).some(
      ({ conditions }) => conditions?.ready === true,
    ),
  );
}

async function problemsOf({ kind, metadata, spec }: KubeObject): Promise<string[]> {
  if (kind !== "Deployment") return [];
  const labels = (spec as { selector: { matchLabels: Record<string, string> } }).selector.matchLabels;
  const selector = Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(",");
  return podProblems(await client.list("v1", "Pod", metadata.namespace ?? "default", selector));
}

/** What is known before the object exists: its inputs, and that a Service will get some address. */
function previewOf(object: KubeObject): Properties {
  if (object.kind !== "Service") return { ...object, status: unknownValue };
  return {
    ...object,
    spec: { clusterIP: unknownValue, ...(object.spec as Properties) },
    status: unknownValue,
  };
}

/** The live value of everything that the program set: what differs shows up as drift. */
function liveInputs(inputs: unknown, live: unknown): unknown {
  if (typeof inputs !== "object" || inputs === null || Array.isArray(inputs)) return live ?? inputs;
  const values = (live ?? {}) as Properties;
  // stringData is write-only: the API server keeps it as data.
  return Object.fromEntries(
    Object.entries(inputs).map(([key, value]) => [
      key,
      key === "stringData" ? value : liveInputs(value, values[key]),
    ]),
  );
}

function annotationsOf({ metadata }: KubeObject): Record<string, string> {
  return (metadata.annotations ?? {}) as Record<string, string>;
}

function idOf({ metadata }: KubeObject): string {
  return metadata.namespace === undefined ? `${metadata.name}` : `${metadata.namespace}/${metadata.name}`;
}

function withoutManagedFields(object: KubeObject): Properties {
  const { managedFields: _managedFields, ...metadata } = object.metadata;
  return { ...object, metadata };
}

await serveProvider(program);
