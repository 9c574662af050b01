/** A cluster that is there, and how Pulumi and Docker reach it. */
export interface ConnectedTarget {
  /** For people: "kind cluster 'redis-ha'". */
  readonly description: string;
  /** Context of the kubeconfig. */
  readonly context: string;
  /** Registry that this machine pushes to and the cluster pulls from; undefined when the user's configuration names it. */
  readonly registry: string | undefined;
  /** KUBECONFIG, DOCKER_HOST and PATH, where they differ from the user's own. */
  readonly environment: Readonly<Record<string, string>>;
}
