import { isIP } from "node:net";
import { z } from "zod";
import type { ApplicationUser } from "../runtime/access/acl-files.ts";
import { deniedUnlessAllowed, isAllowable } from "../runtime/access/denied-commands.ts";
import { engines } from "../runtime/engine.ts";
import { isModule, modulesAllowed } from "../runtime/module-list.ts";
import { backupSettings } from "./backup-settings.ts";
import { isCidr } from "./cidr.ts";
import { endpointSettings, networkSettings } from "./endpoint-settings.ts";
import { choice, cpus, flag, integer, json, list, quantity, type Setting, text } from "./kinds.ts";
import { moveSettings } from "./move-settings.ts";
import * as shapes from "./object-shapes.ts";
import { map, podSettings } from "./pod-settings.ts";

const dnsLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
/** `[registry/]repository` with an exact tag, a digest or both: what a pod can pull again tomorrow. */
const pinnedImage =
  /^[\w.-]+(:\d+)?(\/[\w.-]+)*(:[\w][\w.-]{0,127}(@sha256:[0-9a-f]{64})?|@sha256:[0-9a-f]{64})$/;
const labelName = "[A-Za-z0-9]([\\w.-]{0,61}[A-Za-z0-9])?";
const label = new RegExp(`^([a-z0-9.-]{1,253}/)?${labelName}=(${labelName})?$`);
const namespaces = {
  item: (name: string): boolean => dnsLabel.test(name),
  allowed: "names of namespaces, separated by commas",
} as const;
const pinnedImageAllowed = "an image reference with an exact tag, a digest or both";

/**
 * Every key of the stack configuration, by namespace. The README's table, the declarations in Pulumi.yaml and the list of
 * known keys all come from here.
 */
export const definitions = {
  redis: {
    instances: integer({
      description:
        "Redis instances: one master, the others are its replicas. With 1 or 2, for development, less is promised: see docs/platform.md.",
      min: 1,
      max: 9,
      fallback: 3,
    }),
    persistence: choice({
      description:
        "`aof`: each instance keeps its data on a volume. `off`, for a cache: in memory alone, without volumes. See docs/platform.md.",
      of: ["aof", "off"],
      fallback: "aof",
    }),
    storage: quantity({ description: "Size of each Redis volume.", min: "64Mi", fallback: "1Gi" }),
    storageClass: text({
      description: "StorageClass of all volumes. A volume keeps the one that it has: another one is refused.",
      derived: "the cluster's default",
      pattern: /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/,
      allowed: "the name of a StorageClass (kubectl get storageclass)",
      example: "standard",
    }),
    accessMode: choice({
      description:
        "Access mode of new volumes. ReadWriteOncePod, where the StorageClass offers it, keeps a second pod of the same node away.",
      of: ["ReadWriteOnce", "ReadWriteOncePod"],
      fallback: "ReadWriteOnce",
    }),
    tolerationSeconds: tolerationSeconds("Redis", 300),
    memory: quantity({
      description:
        "Memory limit of each Redis pod. Redis may fill 45 % of it, less 22 MiB, with data (maxmemory); the rest is room for the copy that a fork makes. See docs/operations.md.",
      min: "128Mi",
      fallback: "256Mi",
    }),
    maxmemoryPolicy: choice({
      description: "What Redis does when its memory is full.",
      of: [
        "noeviction",
        "allkeys-lru",
        "allkeys-lfu",
        "allkeys-random",
        "volatile-lru",
        "volatile-lfu",
        "volatile-random",
        "volatile-ttl",
      ],
      fallback: "noeviction",
    }),
    durability: choice({
      description:
        "When a write is acknowledged: `async`, as soon as the master has it; `sync`, as soon as a replica has it, too; `quorum`, as soon as a majority of all instances has it, and then only an instance leads that has all such writes. The price of `quorum`: whoever has no majority of the data has no master; with 3 instances and one gone for good, the next loss stops writes until it is back.",
      of: ["async", "sync", "quorum"],
      fallback: "async",
    }),
    fsync: choice({
      description:
        "When Redis has its append-only file written through to the disk: `everysec`, once a second; `always`, before it answers, and before a replica confirms. With `always` and `redis:durability` `quorum` a power cut of all nodes loses nothing that was acknowledged; each write waits for a disk.",
      of: ["everysec", "always"],
      fallback: "everysec",
    }),
    users: json<readonly ApplicationUser[]>({
      description:
        "The applications' users, each with a password of its own. Without `rules` a user may do everything with the data and nothing with the server. A client that gives only a password is `default`. With `existingSecret` the password is the one in that Secret of the namespace, each of its lines, and follows it while everything runs.",
      derived: "one user, `default`",
      shape: z
        .array(
          z.strictObject({
            name: z.string(),
            rules: z.string().min(1).optional(),
            existingSecret: shapes.secretKey.optional(),
          }),
        )
        .min(1)
        .max(100),
      argument: "readonly ApplicationUser[]",
      allowed: "a JSON list of {name, rules?, existingSecret?: {name, key?}} with ACL rules, at least one",
      example: '[{"name":"shop","rules":"~shop:* +@read +@write"}]',
    }),
    passwordGeneration: integer({
      description:
        "Raise it by one to change all passwords. The previous ones stay valid until the next change.",
      min: 1,
      max: 1_000_000,
      fallback: 1,
    }),
    extraConfig: text({
      description:
        "Further lines for redis.conf, separated by newlines. Directives that redis-ha sets itself are refused.",
      derived: "none",
      pattern: /^[^\r\0]*$/,
      allowed: "lines of redis.conf",
      example: "slowlog-log-slower-than 5000",
    }),
    modules: list({
      description:
        "Modules that every Redis loads: `bundled` are those that the image brings (JSON, search and others in Redis 8's), a path is a file in the image or on a volume of extraMounts.",
      derived: "none",
      item: isModule,
      allowed: modulesAllowed,
      example: "bundled",
    }),
    ...podSettings("Redis", "deployment"),
  },
  sentinel: {
    count: integer({
      description: "Sentinels. A majority of them elects the leader of a failover.",
      min: 3,
      max: 9,
      odd: true,
      fallback: 3,
    }),
    quorum: integer({
      description:
        "Sentinels that must see the master down before a failover starts: a majority of them or more.",
      min: 2,
      max: 9,
      derived: "(count + 1) / 2",
    }),
    downAfterMs: integer({
      description: "Time in ms without an answer after which a Sentinel considers the master down.",
      min: 500,
      max: 60_000,
      fallback: 1000,
    }),
    failoverTimeoutMs: integer({
      description:
        "Timeout in ms of each step of a failover. A failed failover is retried after twice this time.",
      min: 3000,
      max: 600_000,
      fallback: 6000,
    }),
    parallelSyncs: integer({
      description: "Replicas that are pointed to a new master at the same time.",
      min: 1,
      max: 8,
      derived: "instances − 1",
    }),
    masterName: text({
      description: "Name of the master in the Sentinels' configuration; Sentinel clients ask for it.",
      derived: "redis-ha-<stack>",
      pattern: /^[A-Za-z0-9._-]{1,63}$/,
      allowed: "up to 63 letters, digits, dots, dashes and underscores",
      example: "mymaster",
    }),
    tolerationSeconds: tolerationSeconds("a Sentinel", 30),
    storage: quantity({
      description: "Size of each Sentinel volume. It holds one small file.",
      min: "1Mi",
      fallback: "16Mi",
    }),
    memory: quantity({
      description: "Memory limit of each Sentinel pod.",
      min: "128Mi",
      fallback: "128Mi",
    }),
    ...podSettings("Sentinel", "deployment"),
  },
  proxy: {
    replicas: integer({ description: "Proxies behind the endpoint.", min: 1, max: 50, fallback: 2 }),
    workers: integer({
      description:
        "Worker processes of each proxy, to use more than one core. They share its memory and its other limits.",
      min: 1,
      max: 16,
      fallback: 1,
    }),
    holdTimeoutMs: integer({
      description: "How long in ms a client waits while there is no master, before it gets an error.",
      min: 1000,
      max: 300_000,
      derived: "downAfterMs + 10 s, from 10 s to 60 s",
      example: "15000",
    }),
    durabilityTimeoutMs: integer({
      description:
        "With `redis:durability` `sync` or `quorum`: how long in ms a replica may take to confirm a write, before its client gets UNCERTAIN.",
      min: 50,
      max: 10_000,
      fallback: 1000,
    }),
    serviceType: choice({
      description:
        "Type of the endpoint's Service. With the other two, clients outside the cluster reach it.",
      of: ["ClusterIP", "NodePort", "LoadBalancer"],
      fallback: "ClusterIP",
    }),
    stopDelaySeconds: integer({
      description:
        "Seconds for which a terminating proxy still accepts new clients, until nodes and load balancers send it none.",
      min: 0,
      max: 600,
      fallback: 5,
    }),
    sentinelApi: flag({
      description: "Whether the proxy answers Sentinel clients on port 26379. It names itself as the master.",
      fallback: true,
    }),
    maxClients: integer({
      description: "Client connections that one proxy accepts.",
      min: 1,
      max: 100_000,
      fallback: 10_000,
    }),
    maxDedicated: integer({
      description:
        "Connections to Redis that one proxy opens for single clients: subscriptions, transactions, blocking commands. Further clients get an error.",
      min: 10,
      max: 20_000,
      derived:
        "4000, or less with more than 3 proxies (Redis takes 20 000 connections in all) or little redis:memory (32Ki for each connection of each proxy)",
      example: "2000",
    }),
    allowCommands: list({
      description:
        "Commands that are executed although they act on one instance behind the proxy's back: for users without `rules`, and for those whose `rules` allow them. See docs/commands.md.",
      derived: "none",
      item: isAllowable,
      allowed: `names among ${[...deniedUnlessAllowed].join(", ")}, separated by commas`,
      example: "config|set,save",
    }),
    tolerationSeconds: tolerationSeconds("a proxy", 30),
    memory: quantity({ description: "Memory limit of each proxy pod.", min: "128Mi", fallback: "512Mi" }),
    cpuLimit: cpus({
      description:
        "CPU limit of each proxy pod, where a quota wants one. A throttled proxy delays all its clients; Redis and the Sentinels have no CPU limit.",
      min: "500m",
      derived: "none",
    }),
    ...podSettings("proxy", "deployment and service"),
    ...endpointSettings(),
  },
  tls: {
    mode: choice({
      description:
        "Where TLS is used: nowhere, between clients and the proxy, or everywhere. Without a Secret or an issuer the stack has its own authority.",
      of: ["off", "clients", "all"],
      fallback: "off",
    }),
    hostnames: list({
      description: "Further host names and addresses of the proxy, for its certificate.",
      derived: "none beside those inside the cluster",
      item: (item) => isIP(item) !== 0 || /^(\*\.)?[a-z0-9]([-a-z0-9.]{0,250}[a-z0-9])?$/.test(item),
      allowed: "host names and IP addresses, separated by commas",
      example: "redis.example.com",
    }),
    generation: integer({
      description:
        "Raise it by one to replace the stack's own authority and all its certificates. The previous authority stays trusted until the next change.",
      min: 1,
      max: 1_000_000,
      fallback: 1,
    }),
    secret: text({
      description:
        "A Secret in the namespace with tls.crt, tls.key and ca.crt instead of the stack's own authority.",
      derived: "none",
      pattern: dnsLabel,
      allowed: "the name of a Secret of type kubernetes.io/tls",
      example: "redis-tls",
    }),
    issuer: text({
      description: "An issuer of cert-manager, as kind/name, instead of the stack's own authority.",
      derived: "none",
      pattern: /^(Issuer|ClusterIssuer)\/[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/,
      allowed: "Issuer/name or ClusterIssuer/name",
      example: "ClusterIssuer/internal",
    }),
  },
  network: {
    ipFamily: choice({
      description: "Addresses that the pods have and listen on. IPv6 where pods have no IPv4 address.",
      of: ["IPv4", "IPv6"],
      fallback: "IPv4",
    }),
    policies: flag({
      description:
        "Whether the stack creates NetworkPolicies, which allow only the connections that it needs.",
      fallback: true,
    }),
    clientNamespaces: list({
      ...namespaces,
      description: "Namespaces whose pods may connect to the endpoint.",
      derived: "all",
      example: "shop,billing",
    }),
    clientSelector: list({
      description: "Labels that a pod must have to connect to the endpoint.",
      derived: "none: every pod of those namespaces",
      item: (item) => label.test(item),
      allowed: "labels key=value, separated by commas",
      example: "redis-client=true",
    }),
    clientCidrs: list({
      description: "Addresses outside of the cluster's pods that may connect to the endpoint.",
      derived: "none with ClusterIP, all with NodePort and LoadBalancer",
      item: isCidr,
      allowed: "address ranges in CIDR notation, separated by commas",
      example: "10.0.0.0/8",
    }),
    metricsNamespaces: list({
      ...namespaces,
      description: "Namespaces whose pods may read the health and metrics port, 8080.",
      derived: "none",
      example: "monitoring",
    }),
    ...networkSettings(),
  },
  monitoring: {
    podMonitor: flag({
      description:
        "Whether the stack makes a PodMonitor, by which a Prometheus Operator reads the metrics of Redis, Sentinels and proxies.",
      fallback: false,
    }),
    rules: flag({
      description:
        "Whether the stack makes a PrometheusRule with its alerts. They need the PodMonitor's labels.",
      fallback: false,
    }),
    dashboard: flag({
      description:
        "Whether the stack makes a ConfigMap with a dashboard, which Grafana's sidecar finds by the label grafana_dashboard.",
      fallback: false,
    }),
    labels: list({
      description: "Labels of these objects, by which your Prometheus selects them.",
      derived: "none beside the stack's own",
      item: (item) => label.test(item),
      allowed: "labels key=value, separated by commas",
      example: "release=prometheus",
    }),
  },
  backup: backupSettings(),
  move: moveSettings(),
  images: {
    engine: choice({
      description:
        "Whose servers run: Redis or Valkey. The image has to be its own. It can't be changed later: see docs/platform.md.",
      of: engines,
      fallback: "redis",
    }),
    registry: text({
      programOnly: true,
      description: "Registry and path to which the two images are pushed.",
      derived: "needed unless both images are prebuilt or not pushed",
      pattern: /^[\w.-]+(:\d+)?(\/[\w.-]+)*$/,
      allowed: "a registry with an optional path, without a scheme",
      example: "registry.example.com/redis-ha",
    }),
    platform: text({
      programOnly: true,
      description: "Platform of the images.",
      fallback: "linux/amd64",
      pattern: /^linux\/(amd64|arm64)$/,
      allowed: "linux/amd64 or linux/arm64",
      example: "linux/amd64",
    }),
    sentinel: text({
      description: "The Redis and Sentinel image. Prebuilt, it needs no build.",
      derived: "built",
      pattern: pinnedImage,
      allowed: pinnedImageAllowed,
      example: "registry.example.com/redis-ha/sentinel:1.0.0",
    }),
    proxy: text({
      description: "The proxy image. Prebuilt, it needs no build.",
      derived: "built",
      pattern: pinnedImage,
      allowed: pinnedImageAllowed,
      example: "registry.example.com/redis-ha/proxy:1.0.0",
    }),
    push: flag({
      programOnly: true,
      description:
        "Whether built images are pushed. Without it the cluster must run on this Docker's images.",
      fallback: true,
    }),
    pullPolicy: choice({
      description: "When nodes pull the images.",
      of: ["IfNotPresent", "Always", "Never"],
      derived: "the cluster's: IfNotPresent",
    }),
    pullSecret: text({
      description: "Name of a Secret in the namespace with which pods pull from a private registry.",
      derived: "none",
      pattern: dnsLabel,
      allowed: "the name of a Secret of type kubernetes.io/dockerconfigjson",
      example: "registry-credentials",
    }),
    redisBase: text({
      programOnly: true,
      description: "Base image with the server of images:engine.",
      derived: "as in sentinel-image/Dockerfile",
      pattern: pinnedImage,
      allowed: pinnedImageAllowed,
      example: "redis:8.2.9-trixie",
    }),
    nodeBase: text({
      programOnly: true,
      description: "Base image with Node.",
      derived: "as in proxy/Dockerfile",
      pattern: pinnedImage,
      allowed: pinnedImageAllowed,
      example: "node:26.10.0-trixie-slim",
    }),
  },
  "redis-ha": {
    namespace: text({
      description:
        "Kubernetes namespace. One for each stack, unless their names have different prefixes. `pulumi destroy` never deletes it.",
      derived: "redis-ha-<stack>",
      pattern: dnsLabel,
      allowed: "up to 63 lower-case letters, digits and dashes",
      example: "redis-ha-dev",
    }),
    namePrefix: text({
      description:
        "Prefix of the names of all objects in the namespace, so that several sets can share one. It can't be changed later.",
      derived: "none",
      pattern: /^[a-z]([-a-z0-9]{0,28}[a-z0-9])?$/,
      allowed: "up to 30 lower-case letters, digits and dashes that begin with a letter",
      example: "cache",
    }),
    createNamespace: flag({
      description: "Whether the stack creates and labels the namespace, or uses an existing one as it is.",
      fallback: true,
    }),
    spread: choice({
      description:
        "Whether Redis, and the Sentinels, should or must each have a node of their own. `required` needs as many nodes as there are of a kind.",
      of: ["preferred", "required"],
      fallback: "preferred",
    }),
    rolloutSeconds: integer({
      description:
        "How long a rollout waits until the pods of a Deployment are ready. A Redis is ready when it is in sync: big data take long.",
      min: 30,
      max: 86_400,
      fallback: 600,
    }),
    priorityClass: text({
      description: "PriorityClass of all pods: who is evicted first when a node is full.",
      derived: "the cluster's default",
      pattern: /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/,
      allowed: "the name of a PriorityClass (kubectl get priorityclass)",
      example: "databases",
    }),
    labels: map({
      description: "Labels of all objects and pods.",
      shape: shapes.labels,
      example: '{"team":"shop"}',
    }),
    annotations: map({
      description: "Annotations of all objects and pods.",
      shape: shapes.annotations,
      example: '{"example.com/owner":"shop"}',
    }),
    protect: flag({
      description: "Whether Pulumi refuses to delete the namespace and the volumes.",
      fallback: false,
    }),
    keepVolumes: flag({
      description: "Whether `pulumi destroy` leaves the volumes, for a later `pulumi up`.",
      fallback: true,
    }),
    context: text({
      description: "Context of the kubeconfig to deploy to.",
      derived: "the current context",
      pattern: /^\S+$/,
      allowed: "the name of a context (kubectl config get-contexts)",
      example: "kind-dev",
    }),
  },
} satisfies Record<string, Record<string, Setting<never> | Setting<unknown>>>;

/** The namespace whose keys are arguments of the component itself; those of the others are in a group of their own. */
export const ungrouped = "redis-ha" satisfies keyof typeof definitions;

/** What the groups of arguments are about. */
export const groups: Readonly<Record<Exclude<keyof typeof definitions, typeof ungrouped>, string>> = {
  redis: "The Redis instances.",
  sentinel: "The Sentinels.",
  proxy: "The proxies, and the endpoint that clients use.",
  tls: "Encryption of connections.",
  network: "Who may connect to whom.",
  monitoring: "What a Prometheus is told.",
  backup: "Backups, and what a new stack begins with.",
  move: "A Redis that exists already, whose data are taken over.",
  images: "The images that pods run.",
};

function tolerationSeconds(who: string, fallback: number): Setting<number> {
  return integer({
    description: `Seconds after which the pod of ${who} on a lost node is started on another one.`,
    min: 0,
    max: 86_400,
    fallback,
  });
}

type Definitions = typeof definitions;

/** The settings as they are read, each with its own type; those without a fixed default may be undefined. */
export type ParsedSettings = {
  -readonly [N in keyof Definitions]: {
    -readonly [K in keyof Definitions[N]]: Definitions[N][K] extends Setting<infer T> ? T | undefined : never;
  };
};
