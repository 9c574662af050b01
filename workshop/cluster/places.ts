import { homedir } from "node:os";
import { join } from "node:path";

/** Programs and images that were built once, for every checkout of this user. */
export const cacheDirectory = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "redis-ha");

/** Files of one embedded cluster. */
export interface ClusterPlaces {
  readonly directory: string;
  readonly kubeconfig: string;
  /** One line for each process that was started: how `down` knows what is its own. */
  readonly processes: string;
  readonly logs: string;
  readonly pki: string;
  readonly config: string;
  readonly data: string;
  /** Sockets. A path of a socket may have only 107 characters, so they are not below the checkout. */
  readonly run: string;
}

/** Where an embedded cluster keeps its files below `directory`. */
export function clusterPlaces(directory: string): ClusterPlaces {
  const below = (name: string): string => join(directory, name);
  return {
    directory,
    kubeconfig: below("kubeconfig"),
    processes: below("processes.json"),
    logs: below("logs"),
    pki: below("pki"),
    config: below("config"),
    data: below("data"),
    run: "/run/redis-ha",
  };
}

/**
 * Addresses of the embedded cluster: 198.18.0.0/15, the range set aside for benchmarks, which no network routes.
 * Everything is on this machine only.
 */
export const network = {
  bridge: "k8s0",
  podBridge: "cni0",
  nodeName: "node",
  nodeAddress: "198.18.255.1",
  podRange: "198.18.0.0/17",
  serviceRange: "198.19.0.0/16",
  apiServerService: "198.19.0.1",
  dnsService: "198.19.0.10",
} as const;

/** Ports on this machine, all on the loopback or the node's own address. */
export const clusterPorts = {
  apiServer: 6443,
  registry: 5000,
  etcd: 23790,
  etcdPeer: 23800,
  kubelet: 10250,
} as const;

/** Where Kubernetes' host-path provisioner makes volumes. It can't be told another place. */
export const volumesDirectory = "/tmp/hostpath_pv";

/** The registry as this machine's Docker and the cluster's containerd both name it. */
export const registry = `localhost:${clusterPorts.registry}`;
