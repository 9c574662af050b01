// STAND-IN for the provider plugin `kubernetes`, for machines that can't download the genuine one. Its rules: docs/cluster.md.
import { setTimeout as delay } from "node:timers/promises";
import packageJson from "@pulumi/kubernetes/package.json" with { type: "json" };
import {
  InitializationFailure,
  type Properties,
  type ProviderProgram,
  parseUrn,
} from "../provider-program.ts";
import { serveProvider } from "../serve.ts";
import { appliesByForce, fieldManagerKey, fieldManagerOf, takeOverFields } from "./field-managers.ts";
import { KubeClient, KubeError, type KubeObject } from "./kube-client.ts";
import { hasUnknown, inputsFrom, normalizeInputs, pruneLive } from "./live-state.ts";
import { completeObject } from "./naming.ts";
import { deletesFirst, diffObjects } from "./replace-rules.ts";
import { idOf, lookOnce, settle } from "./settle.ts";

const standardTimeoutSeconds = 600;
/** How often a create is tried again whose namespace isn't there yet; the pause doubles from a second. */
const createRetries = 5;
let client = new KubeClient({ kubeconfig: undefined, context: undefined });
let defaultNamespace = "default";
let upsert = false;
let secretsMutable = false;
const cancellation = new AbortController();

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
  cancel: () => cancellation.abort(),
  check: async (resource, news, olds) => ({ inputs: completeObject(resource, news, olds, defaultNamespace) }),
  diff: async ({ urn }, oldInputs, news, oldOutputs) => {
    // What the cluster had when the state was written, not what the program said: drift that a refresh has found counts.
    const before = pruneLive(oldOutputs, normalizeInputs(oldInputs)) as Properties;
    const now = normalizeInputs(news);
    return {
      changes: diffObjects(parseUrn(urn).type.split(":")[2] ?? "", before, now, { secretsMutable }),
      deleteBeforeReplace: deletesFirst(before, now),
    };
  },
  create: async (_resource, inputs, { preview, timeoutSeconds }) => {
    const object = normalizeInputs(inputs) as unknown as KubeObject;
    if (preview) return { id: "", outputs: await previewOf(object) };
    const fieldManager = fieldManagerOf({}, annotationsOf(object));
    const created = await createObject(object, fieldManager);
    const toState = stateWith(fieldManager);
    const outputs = await settle(created, {
      client,
      timeoutSeconds,
      cancelled: cancellation.signal,
      toState,
    });
    return { id: idOf(created), outputs };
  },
  update: async (_resource, _id, oldOutputs, news, { preview, timeoutSeconds }) => {
    const object = normalizeInputs(news) as unknown as KubeObject;
    const fieldManager = fieldManagerOf(oldOutputs, annotationsOf(object));
    if (preview) return { outputs: await previewOf(object, fieldManager) };
    const live = await client.get(object);
    if (live === undefined) throw new Error(`update of ${idOf(object)} failed: it doesn't exist`);
    const fields = takeOverFields(live, fieldManager);
    if (fields !== undefined) await client.replaceManagedFields(object, fields);
    const changed = await applyObject(object, fieldManager);
    const toState = stateWith(fieldManager);
    return {
      outputs: await settle(changed, { client, timeoutSeconds, cancelled: cancellation.signal, toState }),
    };
  },
  read: async (_resource, id, inputs, outputs) => {
    const wanted = (Object.keys(inputs).length > 0 ? inputs : outputs) as unknown as KubeObject;
    const live = await client.get(wanted);
    if (live === undefined) return undefined;
    const toState = stateWith(fieldManagerOf(outputs, annotationsOf(wanted)));
    const liveInputs = inputsFrom(live, inputs);
    await lookOnce(live, { client, toState }).catch((error: unknown) => {
      if (!(error instanceof InitializationFailure)) throw error;
      throw new InitializationFailure(id, error.outputs, error.reasons, liveInputs);
    });
    return { id, inputs: liveInputs, outputs: toState(live) };
  },
  delete: async (_resource, id, outputs, { timeoutSeconds }) => {
    const object = outputs as unknown as KubeObject;
    const annotations = annotationsOf(object);
    const policy = annotations["pulumi.com/deletionPropagationPolicy"] ?? "foreground";
    try {
      await client.delete(object, `${policy[0]?.toUpperCase()}${policy.slice(1).toLowerCase()}`);
    } catch (error) {
      if (error instanceof KubeError && error.status === 404) return;
      throw error;
    }
    if (annotations["pulumi.com/skipAwait"] === "true" && goesUnwatched.has(object.kind)) return;
    const deadline = performance.now() + (timeoutSeconds || standardTimeoutSeconds) * 1000;
    for (let live = await client.get(object); live !== undefined; live = await client.get(object)) {
      const late = performance.now() > deadline;
      if (late || cancellation.signal.aborted) {
        const finalizers = ((live.metadata.finalizers ?? []) as string[]).join(", ");
        const why = `finalizers might be preventing deletion (${finalizers})`;
        const state = stateWith(fieldManagerOf(outputs, {}))(live);
        throw new InitializationFailure(id, state, [
          `${late ? "timed out" : "cancelled"} deleting ${id}: ${why}`,
        ]);
      }
      await delay(200);
    }
  },
};

/** Kinds whose deletion isn't waited for when their creation isn't. */
const goesUnwatched: ReadonlySet<string> = new Set(["Namespace", "Pod", "Deployment", "StatefulSet", "Job"]);

/** Makes an object; one that exists is an error, unless this provider takes objects over. */
async function createObject(object: KubeObject, fieldManager: string): Promise<KubeObject> {
  try {
    for (let retry = 0; ; retry++) {
      try {
        if (!upsert && (await client.get(object)) !== undefined)
          throw new Error(`${object.kind} "${object.metadata.name}" already exists`);
        return await applyObject(object, fieldManager);
      } catch (error) {
        const missing = error instanceof KubeError && error.status === 404;
        if (!missing || retry >= createRetries || cancellation.signal.aborted) throw error;
        await delay(1000 * 2 ** retry);
      }
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `resource "${idOf(object)}" was not successfully created by the Kubernetes API server: ${reason}`,
    );
  }
}

function applyObject(object: KubeObject, fieldManager: string): Promise<KubeObject> {
  return client.apply(object, { fieldManager, force: appliesByForce(annotationsOf(object), process.env) });
}

/** What the API server says that the object would become; the inputs alone where it can't say. */
async function previewOf(object: KubeObject, fieldManager?: string): Promise<Properties> {
  if (hasUnknown(object)) return { ...object };
  const manager = fieldManager ?? fieldManagerOf({}, annotationsOf(object));
  const force = fieldManager === undefined || appliesByForce(annotationsOf(object), process.env);
  try {
    const { status: _status, ...dryRun } = await client.apply(object, {
      fieldManager: manager,
      force,
      dryRun: true,
    });
    return withoutManagedFields(dryRun as unknown as KubeObject);
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    // The namespace doesn't exist yet, or the user may not even ask, or the object will be replaced.
    const unsaid = [403, 404].includes(error.status) || /field is immutable/.test(error.message);
    if (unsaid) return { ...object };
    throw error;
  }
}

function annotationsOf({ metadata }: KubeObject): Record<string, string> {
  return (metadata.annotations ?? {}) as Record<string, string>;
}

/** The state of an object: as it is in the cluster, and who set its fields. */
function stateWith(fieldManager: string): (object: KubeObject) => Properties {
  return (object) => ({ ...withoutManagedFields(object), [fieldManagerKey]: fieldManager });
}

function withoutManagedFields(object: KubeObject): Properties {
  const { managedFields: _managedFields, ...metadata } = object.metadata;
  return { ...object, metadata };
}

await serveProvider(program);
