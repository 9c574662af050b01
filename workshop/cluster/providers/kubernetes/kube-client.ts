import { readFileSync } from "node:fs";
import { Agent, type RequestOptions, request } from "node:https";
import { homedir } from "node:os";
import { join } from "node:path";
import type { KubeConfig } from "@kubernetes/client-node";
import type { Properties } from "../provider-program.ts";

/** A Kubernetes object. */
export interface KubeObject extends Properties {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Properties & { readonly name?: string; readonly namespace?: string };
}

/** An error answer of the API server. */
export class KubeError extends Error {
  override readonly name = "KubeError";
  readonly status: number;
  /** `AlreadyExists`, `NotFound`, … */
  readonly reason: string;

  constructor(status: number, reason: string, message: string) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

/** How an object is applied. */
export interface ApplyOptions {
  /** Who owns the fields that are set. */
  readonly fieldManager: string;
  /** Take fields from others instead of failing with a conflict. */
  readonly force: boolean;
  /** Only ask what it would become. */
  readonly dryRun?: boolean;
}

/** What a `kubernetes` provider resource is configured with. */
export interface KubeClientOptions {
  /** Path or content of a kubeconfig; unset: KUBECONFIG or ~/.kube/config. */
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
}

interface ResourcePath {
  readonly path: string;
  readonly namespaced: boolean;
}

/** Talks to one API server: objects of any kind, by their own words. */
export class KubeClient {
  readonly #options: KubeClientOptions;
  #connection: Promise<{ server: string; agent: Agent; headers: Record<string, string> }> | undefined;
  readonly #resources = new Map<string, Promise<ResourcePath>>();

  constructor(options: KubeClientOptions) {
    this.#options = options;
  }

  /** One object, or undefined when it isn't there. */
  async get(object: KubeObject): Promise<KubeObject | undefined> {
    try {
      return (await this.#send("GET", await this.#pathOf(object))) as unknown as KubeObject;
    } catch (error) {
      if (error instanceof KubeError && error.status === 404) return undefined;
      throw error;
    }
  }

  async list(apiVersion: string, kind: string, namespace: string, labelSelector = ""): Promise<KubeObject[]> {
    const { path } = await this.#resourceOf(apiVersion, kind);
    const prefix = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const url = `${prefix}/namespaces/${namespace}/${path}?labelSelector=${encodeURIComponent(labelSelector)}`;
    return ((await this.#send("GET", url)).items ?? []) as KubeObject[];
  }

  /** Server-side apply: makes the object, or changes what is there. */
  async apply(
    object: KubeObject,
    { fieldManager, force, dryRun = false }: ApplyOptions,
  ): Promise<KubeObject> {
    const query = `fieldManager=${fieldManager}&force=${force}${dryRun ? "&dryRun=All" : ""}`;
    const path = `${await this.#pathOf(object)}?${query}`;
    return (await this.#send("PATCH", path, object, "application/apply-patch+yaml")) as unknown as KubeObject;
  }

  /** Says who owns which fields of an object. */
  async replaceManagedFields(object: KubeObject, managedFields: readonly object[]): Promise<KubeObject> {
    const patch = [{ op: "replace", path: "/metadata/managedFields", value: managedFields }];
    const path = await this.#pathOf(object);
    return (await this.#send("PATCH", path, patch, "application/json-patch+json")) as unknown as KubeObject;
  }

  /** @param propagationPolicy `Foreground`: the object is gone when everything that it owns is. */
  async delete(object: KubeObject, propagationPolicy: string): Promise<void> {
    await this.#send("DELETE", await this.#pathOf(object), { propagationPolicy });
  }

  async #pathOf({ apiVersion, kind, metadata }: KubeObject): Promise<string> {
    const { path, namespaced } = await this.#resourceOf(apiVersion, kind);
    const prefix = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const namespace = namespaced ? `/namespaces/${metadata.namespace ?? "default"}` : "";
    return `${prefix}${namespace}/${path}/${metadata.name ?? ""}`;
  }

  /** Asks the API server itself which path a kind has, and whether it lives in namespaces. */
  #resourceOf(apiVersion: string, kind: string): Promise<ResourcePath> {
    const key = `${apiVersion}/${kind}`;
    const known = this.#resources.get(key);
    if (known !== undefined) return known;
    const asked = this.#send(
      "GET",
      apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`,
    ).then((reply) => {
      const resources = reply.resources as { name: string; kind: string; namespaced: boolean }[];
      const found = resources.find((resource) => resource.kind === kind && !resource.name.includes("/"));
      if (found === undefined) throw new Error(`the cluster knows no ${kind} in ${apiVersion}`);
      return { path: found.name, namespaced: found.namespaced };
    });
    this.#resources.set(key, asked);
    asked.catch(() => this.#resources.delete(key));
    return asked;
  }

  async #send(method: string, path: string, body?: unknown, type = "application/json"): Promise<Properties> {
    this.#connection ??= connect(this.#options);
    const { server, agent, headers } = await this.#connection.catch(unreachable);
    const url = new URL(path, server);
    const requestOptions: RequestOptions = {
      method,
      agent,
      headers: { ...headers, "content-type": type },
      timeout: 30_000,
    };
    const { status, text } = await exchange(url, requestOptions, body).catch(unreachable);
    const reply = text === "" ? {} : (JSON.parse(text) as Properties);
    if (status >= 400) throw new KubeError(status, String(reply.reason), String(reply.message));
    return reply;
  }
}

function unreachable(error: unknown): never {
  throw new Error(
    `configured Kubernetes cluster is unreachable: ${error instanceof Error ? error.message : error}`,
  );
}

async function exchange(
  url: URL,
  options: RequestOptions,
  body: unknown,
): Promise<{ status: number; text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
  const call = request(url, options, (response) => {
    let text = "";
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => {
      text += chunk;
    });
    response.on("end", () => resolve({ status: response.statusCode ?? 0, text })).on("error", reject);
  });
  call
    .on("error", reject)
    .on("timeout", () => call.destroy(new Error(`no answer from ${url.host} within 30 s`)));
  if (body === undefined) call.end();
  else {
    // A DELETE has no length of its own: its body would be taken for the next request of the connection.
    const text = Buffer.from(JSON.stringify(body));
    call.setHeader("content-length", text.length);
    call.end(text);
  }
  return promise;
}

async function connect({
  kubeconfig,
  context,
}: KubeClientOptions): Promise<{ server: string; agent: Agent; headers: Record<string, string> }> {
  const text = readKubeconfig(kubeconfig);
  const config = await loadKubeconfig(text);
  if (context !== undefined) {
    if (config.getContextObject(context) === null)
      throw new Error(`the kubeconfig has no context '${context}'`);
    config.setCurrentContext(context);
  }
  const server = config.getCurrentCluster()?.server;
  if (server === undefined) throw new Error("the kubeconfig has no current context");
  const options: RequestOptions & { headers?: Record<string, string> } = {};
  await config.applyToHTTPSOptions(options);
  const { ca, cert, key, rejectUnauthorized } = options;
  const tls = { ca, cert, key, ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }) };
  return {
    server,
    agent: new Agent({ ...tls, keepAlive: true, maxSockets: 16 }),
    headers: options.headers ?? {},
  };
}

/** Loaded when first needed: this package alone takes most of a provider's start. */
async function loadKubeconfig(text: string): Promise<KubeConfig> {
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  config.loadFromString(text);
  return config;
}

function readKubeconfig(kubeconfig: string | undefined): string {
  if (kubeconfig?.includes("\n") || kubeconfig?.startsWith("{")) return kubeconfig;
  return readFileSync(kubeconfig || process.env.KUBECONFIG || join(homedir(), ".kube", "config"), "utf8");
}
