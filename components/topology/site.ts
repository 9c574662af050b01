import { join } from "node:path";
import type { Address } from "../../runtime/address.ts";

/** The three kinds of parts that a stack runs. */
export type PartKind = "redis" | "sentinel" | "proxy";

/** One part: its kind and its number, counted from 1. */
export interface Part {
  readonly kind: PartKind;
  readonly index: number;
}

/** `server`: of Redis and the Sentinels; `proxy`: of the proxies. */
export type CertificateKind = "server" | "proxy";

/**
 * Where a topology runs. The same description of the workloads is deployed to a cluster (fixed ports, a Service name
 * for each part) or started as processes of this machine (loopback, a port for each part).
 */
export interface Site {
  /** The address under which the other parts and the clients reach this one. */
  address(part: Part): Address;
  /** The address that the part's process listens on. */
  bindAddress(part: Part): string;
  /** TCP port of the part's HTTP health and metrics server. A Sentinel has none. */
  adminPort(part: Part): number;
  /** Port of the proxy's Sentinel API. */
  proxySentinelPort: number;
  /** Directory that outlives the process: Redis data, or Sentinel's own configuration file. */
  stateDirectory(part: Part): string;
  /** Directory with the secret files of {@link SecretFile}; a part finds those that it needs, and no other. */
  secretDirectory: string;
  /** Directory with tls.crt, tls.key and ca.crt for one of the kinds of certificates. */
  certificateDirectory(kind: CertificateKind): string;
  /** Whether clients are led to a proxy by a Service, which hears only some time later that the proxy ends. */
  clientsComeByService: boolean;
}

/** Names inside a namespace. They never change, so that a part keeps its address for ever. */
export interface ClusterNames {
  /** Name of the Service of a part; all proxies have one. */
  readonly service: (part: Part) => string;
  /** The headless Service over all Sentinels. */
  readonly sentinels: string;
  /** Any other object's. */
  readonly object: (name: string) => string;
}

/** The names of one set of parts. @param prefix what they begin with, when several sets live in one namespace. */
export function clusterNames(prefix = ""): ClusterNames {
  const object = (name: string): string => (prefix === "" ? name : `${prefix}-${name}`);
  return {
    object,
    sentinels: object("svc-redis-sentinel-instances"),
    service: ({ kind, index }) =>
      object(
        {
          redis: `svc-redis-instance-${index}`,
          sentinel: `svc-redis-sentinel-${index}`,
          proxy: "svc-redis-sentinel-proxy",
        }[kind],
      ),
  };
}

/** The endpoint's part. */
export const endpointPart: Part = { kind: "proxy", index: 1 };

/** Ports inside a cluster: those that every Redis and Sentinel client expects. */
export const ports = { redis: 6379, sentinel: 26379, admin: 8080 } as const;

/** What is the same in every namespace. */
export const podPaths: Pick<Site, "secretDirectory" | "certificateDirectory"> = {
  secretDirectory: "/etc/redis-ha/credentials",
  certificateDirectory: () => "/etc/redis-ha/tls",
};

/**
 * A Kubernetes namespace as a site. The proxy announces itself to clients of every namespace.
 *
 * @param family of the pods' addresses.
 */
export function clusterSite(
  namespace: string,
  names: Pick<ClusterNames, "service"> = clusterNames(),
  family: "IPv4" | "IPv6" = "IPv4",
): Site {
  return {
    ...podPaths,
    address: (part) => ({
      host: part.kind === "proxy" ? `${names.service(part)}.${namespace}.svc` : names.service(part),
      port: part.kind === "sentinel" ? ports.sentinel : ports.redis,
    }),
    bindAddress: () => (family === "IPv6" ? "::" : "0.0.0.0"),
    adminPort: () => ports.admin,
    proxySentinelPort: ports.sentinel,
    stateDirectory: ({ kind }) => (kind === "sentinel" ? "/sentinel-conf-file" : "/data"),
    clientsComeByService: true,
  };
}

/** Offsets from the first port of a local topology; each kind has room for 100 parts, so no number ever moves. */
const localOffset = { proxy: 0, redis: 100, sentinel: 200, admin: 300 } as const;

/** The ports that a local topology takes, from its first port on. */
export const localPortCount = 1000;

/** What a local topology is placed by. */
export interface LocalSiteOptions {
  /** First port; the first proxy listens on it and on the next one (Sentinel API). */
  readonly basePort: number;
  /** Where every part gets a directory of its own. */
  readonly directory: string;
  /** The address of each part. Default: 127.0.0.1 for all of them. */
  readonly hostOf?: (part: Part) => string;
}

/** This machine as a site. */
export function localSite({ basePort, directory, hostOf = () => "127.0.0.1" }: LocalSiteOptions): Site {
  const adminOffset = { proxy: 0, redis: 100, sentinel: 200 } as const;
  return {
    address: (part) => ({
      host: hostOf(part),
      port: basePort + localOffset[part.kind] + (part.kind === "proxy" ? 2 * (part.index - 1) : part.index),
    }),
    bindAddress: hostOf,
    adminPort: ({ kind, index }) => basePort + localOffset.admin + adminOffset[kind] + index,
    proxySentinelPort: basePort + 1,
    stateDirectory: ({ kind, index }) => join(directory, `${kind}-${index}`),
    secretDirectory: join(directory, "credentials"),
    certificateDirectory: (kind) => join(directory, "tls", kind),
    clientsComeByService: false,
  };
}
