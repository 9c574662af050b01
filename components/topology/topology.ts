import { join } from "node:path";
import { formatAddress } from "../../runtime/address.ts";
import { maxmemoryBytes } from "../../runtime/memory-budget.ts";
import { parseQuantity } from "../../runtime/quantity.ts";
import { volatileDirectory } from "../../runtime/volatile-directory.ts";
import type { Settings } from "../../settings/resolve-settings.ts";
import { backupClaim, backupEnvironment, backupFiles } from "./backup.ts";
import { moveEnvironment, moveFiles } from "./move.ts";
import type { Part, PartKind, Site } from "./site.ts";
import type { SecretFile, Workload } from "./workload.ts";

/** The workloads of one stack, in the order in which they are started and rolled. */
export interface Topology {
  readonly sentinels: readonly Workload[];
  readonly redis: readonly Workload[];
  readonly proxy: Workload;
}

/** The settings that decide what runs; where images come from or who owns the namespace doesn't. */
export type TopologySettings = Pick<
  Settings,
  "redis" | "sentinel" | "proxy" | "tls" | "images" | "backup" | "move"
>;

/** The instance that a brand-new set of Sentinels is told to monitor. Nothing else ever depends on this number. */
const initialMaster: Part = { kind: "redis", index: 1 };

/** Longer than every hand-over and every drain: the programs end by themselves much sooner. */
const graceSeconds = 60;

/** Describes every workload: what runs, with which environment, ports and volumes. Pure. */
export function describeTopology(settings: TopologySettings, site: Site): Topology {
  return {
    sentinels: parts("sentinel", settings.sentinel.count).map((part) =>
      describeSentinel(part, settings, site),
    ),
    redis: parts("redis", settings.redis.instances).map((part) => describeRedis(part, settings, site)),
    proxy: describeProxy(settings, site),
  };
}

function parts(kind: PartKind, count: number): Part[] {
  return Array.from({ length: count }, (_, i) => ({ kind, index: i + 1 }));
}

function addresses(kind: PartKind, count: number, site: Site): string {
  return parts(kind, count)
    .map((part) => formatAddress(site.address(part)))
    .join(",");
}

function describeSentinel(part: Part, settings: TopologySettings, site: Site): Workload {
  const secretFile = (name: SecretFile): string => join(site.secretDirectory, name);
  const { sentinel, redis } = settings;
  const address = site.address(part);
  return {
    part,
    name: `redis-sentinel-${part.index}`,
    program: { image: "sentinel", entrypoint: "sentinel" },
    replicas: 1,
    environment: {
      ...engineOf(settings),
      BIND_ADDR: site.bindAddress(part),
      SENTINEL_SVC_IP: address.host,
      SENTINEL_SVC_PORT: String(address.port),
      MASTER_NAME: sentinel.masterName,
      SENTINEL_QUORUM: String(sentinel.quorum),
      SENTINEL_DOWN_AFTER: String(sentinel.downAfterMs),
      SENTINEL_FAILOVER: String(sentinel.failoverTimeoutMs),
      SENTINEL_PARALLEL_SYNCS: String(sentinel.parallelSyncs),
      SENTINEL_RESOLVE_HOSTNAMES: "yes",
      SENTINEL_ANNOUNCE_HOSTNAMES: "yes",
      SENTINEL_CONFIG_FILE_DIR: site.stateDirectory(part),
      REDIS_MASTER: formatAddress(site.address(initialMaster)),
      REDIS_INSTANCES: addresses("redis", redis.instances, site),
      REDIS_SENTINELS: addresses("sentinel", sentinel.count, site),
      REDIS_USERNAME: "sentinel",
      REDIS_PASSWORD_FILE: secretFile("sentinel"),
      REDIS_ACL_FILE: secretFile("sentinel.acl"),
      ...serverTls(settings, site),
      SENTINEL_PROBE_PASSWORD_FILE: secretFile("probe"),
    },
    secrets: ["sentinel", "probe", "sentinel.acl"],
    ...(settings.tls.mode === "all" ? { certificate: "server" as const } : {}),
    // A Sentinel can't be told a new password while it runs, and its restart costs nothing.
    secretRevision: `${redis.passwordGeneration}.${settings.tls.mode === "all" ? settings.tls.generation : 0}`,
    ports: [{ name: "sentinel", port: address.port }],
    volume: { path: site.stateDirectory(part), storage: sentinel.storage },
    graceSeconds,
    memory: sentinel.memory,
  };
}

function describeRedis(part: Part, settings: TopologySettings, site: Site): Workload {
  const secretFile = (name: SecretFile): string => join(site.secretDirectory, name);
  const { sentinel, redis } = settings;
  const given = givenPasswords(settings);
  const address = site.address(part);
  const keeps = redis.persistence === "aof";
  return {
    part,
    name: `redis-instance-${part.index}`,
    program: { image: "sentinel", entrypoint: "redis" },
    replicas: 1,
    environment: {
      ...engineOf(settings),
      BIND_ADDR: site.bindAddress(part),
      REDIS_SELF: formatAddress(address),
      REDIS_INSTANCES: addresses("redis", redis.instances, site),
      REDIS_SENTINELS: addresses("sentinel", sentinel.count, site),
      REDIS_DATA_DIR: keeps ? site.stateDirectory(part) : join(site.stateDirectory(part), volatileDirectory),
      ...(keeps ? {} : { REDIS_PERSISTENCE: redis.persistence }),
      REDIS_MAXMEMORY: String(maxmemoryBytes(redis.memory)),
      REDIS_MAXMEMORY_POLICY: redis.maxmemoryPolicy,
      REDIS_EXTRA_CONFIG: redis.extraConfig,
      ...(redis.durability === "quorum" ? { REDIS_DURABILITY: redis.durability } : {}),
      ...(redis.modules === undefined ? {} : { REDIS_MODULES: redis.modules.join(",") }),
      ...(redis.fsync === "always" ? { REDIS_FSYNC: redis.fsync } : {}),
      REDIS_USERNAME: "supervisor",
      REDIS_PASSWORD_FILE: secretFile("supervisor"),
      REDIS_REPLICA_PASSWORD_FILE: secretFile("replica"),
      REDIS_SENTINEL_PASSWORD_FILE: secretFile("sentinel"),
      REDIS_PROBE_PASSWORD_FILE: secretFile("probe"),
      REDIS_ACL_FILE: secretFile("redis.acl"),
      ...(given.length === 0 ? {} : { REDIS_USER_PASSWORDS_DIR: join(site.secretDirectory, "users") }),
      ...serverTls(settings, site),
      REDIS_ADMIN_PORT: String(site.adminPort(part)),
      MASTER_NAME: sentinel.masterName,
      ...backupEnvironment(settings.backup, site),
      ...moveEnvironment(settings.move, site),
    },
    secrets: [
      "supervisor",
      "replica",
      "sentinel",
      "probe",
      "redis.acl",
      ...given,
      ...backupFiles(settings.backup),
      ...moveFiles(settings.move),
    ],
    ...backupClaim(settings.backup),
    ...(settings.tls.mode === "all" ? { certificate: "server" as const } : {}),
    ports: [
      { name: "redis", port: address.port },
      { name: "admin", port: site.adminPort(part) },
    ],
    ...(keeps
      ? { volume: { path: site.stateDirectory(part), storage: redis.storage } }
      : // A full copy from the master passes through a file.
        { scratch: { path: site.stateDirectory(part), limit: redis.memory } }),
    graceSeconds,
    memory: redis.memory,
  };
}

/** Nothing for Redis: stacks from before there was a choice aren't rolled for it. */
function engineOf({ images: { engine } }: TopologySettings): Record<string, string> {
  return engine === "redis" ? {} : { REDIS_ENGINE: engine };
}

/** The files of passwords that the platform gives. */
function givenPasswords({ redis: { users } }: TopologySettings): SecretFile[] {
  return users.flatMap(({ name, existingSecret }): SecretFile[] =>
    existingSecret === undefined ? [] : [`users/${name}`],
  );
}

/** Clients that talk to the real Sentinels, and then to the master itself, have no certificates. */
function serverTls({ tls, proxy }: TopologySettings, site: Site): Record<string, string> {
  if (tls.mode !== "all") return {};
  return {
    REDIS_TLS_DIR: site.certificateDirectory("server"),
    REDIS_TLS_AUTH_CLIENTS: proxy.sentinelApi ? "yes" : "no",
  };
}

function describeProxy(settings: TopologySettings, site: Site): Workload {
  const secretFile = (name: SecretFile): string => join(site.secretDirectory, name);
  const { proxy, sentinel } = settings;
  const part: Part = { kind: "proxy", index: 1 };
  const given = givenPasswords(settings);
  const address = site.address(part);
  return {
    part,
    name: "redis-sentinel-proxy",
    program: { image: "proxy", entrypoint: "main" },
    replicas: proxy.replicas,
    environment: {
      BIND_ADDR: site.bindAddress(part),
      PROXY_PORT: String(address.port),
      ...(proxy.sentinelApi ? { PROXY_SENTINEL_PORT: String(site.proxySentinelPort) } : {}),
      PROXY_ANNOUNCE: formatAddress(address),
      PROXY_ADMIN_PORT: String(site.adminPort(part)),
      PROXY_HOLD_TIMEOUT_MS: String(proxy.holdTimeoutMs),
      ...(site.clientsComeByService ? { PROXY_STOP_DELAY_MS: String(proxy.stopDelaySeconds * 1000) } : {}),
      PROXY_WORKERS: String(proxy.workers),
      PROXY_DURABILITY: settings.redis.durability,
      PROXY_DURABILITY_REPLICAS: String(Math.max(1, settings.redis.instances - 1)),
      PROXY_DURABILITY_TIMEOUT_MS: String(proxy.durabilityTimeoutMs),
      PROXY_MEMORY: String(Math.floor(parseQuantity(proxy.memory) ?? 0)),
      PROXY_MAX_CLIENTS: String(proxy.maxClients),
      PROXY_MAX_DEDICATED: String(proxy.maxDedicated),
      ...(proxy.allowCommands === undefined ? {} : { PROXY_ALLOW_COMMANDS: proxy.allowCommands.join(",") }),
      REDIS_SENTINELS: addresses("sentinel", sentinel.count, site),
      MASTER_NAME: sentinel.masterName,
      REDIS_USERNAME: "proxy",
      REDIS_PASSWORD_FILE: secretFile("proxy"),
      ...(proxy.sentinelApi ? { PROXY_CLIENTS_ACL_FILE: secretFile("clients.acl") } : {}),
      ...(given.length > 0 ? { PROXY_USER_PASSWORDS_DIR: join(site.secretDirectory, "users") } : {}),
      ...(settings.tls.mode === "off" ? {} : { PROXY_TLS_DIR: site.certificateDirectory("proxy") }),
      ...(settings.tls.mode === "all" ? { REDIS_TLS_DIR: site.certificateDirectory("proxy") } : {}),
      ...moveEnvironment(settings.move, site),
    },
    secrets: [
      "proxy",
      ...(proxy.sentinelApi ? (["clients.acl", ...given] as const) : []),
      ...moveFiles(settings.move),
    ],
    ...(settings.tls.mode === "off" ? {} : { certificate: "proxy" as const }),
    ports: [
      { name: "redis", port: address.port },
      ...(proxy.sentinelApi ? [{ name: "sentinel" as const, port: site.proxySentinelPort }] : []),
      { name: "admin", port: site.adminPort(part) },
    ],
    graceSeconds: proxy.stopDelaySeconds + graceSeconds,
    memory: proxy.memory,
  };
}
