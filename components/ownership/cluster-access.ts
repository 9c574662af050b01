import type { ApiType, Configuration, KubeConfig } from "@kubernetes/client-node";
import * as pulumi from "@pulumi/pulumi";

/** An answer that takes longer is none. */
const requestTimeoutMs = 15_000;

/** Whether there is a cluster to ask: there is none under Pulumi's mocks. */
export function hasCluster(): boolean {
  return pulumi.runtime.hasEngine();
}

/**
 * How this program itself asks the cluster: by the kubeconfig and the context that the provider uses.
 *
 * @throws {pulumi.RunError} when there is no kubeconfig, or no such context in it.
 */
export async function openKubeconfig(context: string | undefined): Promise<KubeConfig> {
  // Loaded here: the package takes most of a second.
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  const { KUBECONFIG: variable = "" } = process.env;
  // The provider takes the content of a kubeconfig, too.
  if (variable.includes("\n") || variable.startsWith("{")) config.loadFromString(variable);
  else config.loadFromDefault();
  // kubectl proxy and the like: without TLS there is nothing to verify, but the client wants to be told so.
  config.clusters = config.clusters.map((cluster) =>
    cluster.server.startsWith("http:") ? { ...cluster, skipTLSVerify: true } : cluster,
  );
  if (context !== undefined) {
    if (config.getContextObject(context) === null) {
      const known = config.getContexts().map(({ name }) => `'${name}'`);
      throw new pulumi.RunError(
        `Configuration 'redis-ha:context' is '${context}' but the kubeconfig has ${known.length === 0 ? "no contexts" : known.join(", ")}: use one of them (pulumi config set redis-ha:context …), or another kubeconfig (KUBECONFIG).`,
      );
    }
    config.setCurrentContext(context);
  }
  if (config.getCurrentCluster() === null) {
    throw new pulumi.RunError(
      "The kubeconfig has no current context: name one (pulumi config set redis-ha:context my-cluster), or another kubeconfig (KUBECONFIG).",
    );
  }
  return config;
}

/** A client of one part of the API, each of whose requests ends after 15 s. */
export async function boundedClient<T extends ApiType>(
  config: KubeConfig,
  api: new (configuration: Configuration) => T,
): Promise<T> {
  const { createConfiguration, ServerConfiguration } = await import("@kubernetes/client-node");
  const { server = "" } = config.getCurrentCluster() ?? {};
  return new api(
    createConfiguration({
      baseServer: new ServerConfiguration(server, {}),
      authMethods: { default: config },
      promiseMiddleware: [
        {
          pre: async (request) => {
            request.setSignal(AbortSignal.timeout(requestTimeoutMs));
            return request;
          },
          post: async (response) => response,
        },
      ],
    }),
  );
}
