// Written by `npm run generate` from settings/definitions.ts: change it there.
import type { Input } from "@pulumi/pulumi";
import type { ApplicationUser } from "../runtime/access/acl-files.ts";
import type { Affinity, EgressRule, ExtraContainer, ExtraVolume, IngressRule, Labels, Mount, Patches, Toleration, Variable } from "./object-shapes.ts";

/** The Redis instances. */
export interface RedisArgs {
  /**
   * Redis instances: one master, the others are its replicas. With 1 or 2, for development, less is promised: see
   * docs/platform.md.
   *
   * Allowed: a whole number from 1 to 9. Default: 3.
   */
  readonly instances?: number | undefined;
  /**
   * `aof`: each instance keeps its data on a volume. `off`, for a cache: in memory alone, without volumes. See
   * docs/platform.md.
   *
   * Allowed: one of aof, off. Default: aof.
   */
  readonly persistence?: "aof" | "off" | undefined;
  /**
   * Size of each Redis volume.
   *
   * Allowed: a Kubernetes quantity of at least 64Mi, such as 512Mi or 8Gi. Default: 1Gi.
   */
  readonly storage?: string | undefined;
  /**
   * StorageClass of all volumes. A volume keeps the one that it has: another one is refused.
   *
   * Allowed: the name of a StorageClass (kubectl get storageclass). Default: the cluster's default.
   */
  readonly storageClass?: string | undefined;
  /**
   * Access mode of new volumes. ReadWriteOncePod, where the StorageClass offers it, keeps a second pod of the same node
   * away.
   *
   * Allowed: one of ReadWriteOnce, ReadWriteOncePod. Default: ReadWriteOnce.
   */
  readonly accessMode?: "ReadWriteOnce" | "ReadWriteOncePod" | undefined;
  /**
   * Seconds after which the pod of Redis on a lost node is started on another one.
   *
   * Allowed: a whole number from 0 to 86400. Default: 300.
   */
  readonly tolerationSeconds?: number | undefined;
  /**
   * Memory limit of each Redis pod. Redis may fill 45 % of it, less 22 MiB, with data (maxmemory); the rest is room for
   * the copy that a fork makes. See docs/operations.md.
   *
   * Allowed: a Kubernetes quantity of at least 128Mi, such as 512Mi or 8Gi. Default: 256Mi.
   */
  readonly memory?: string | undefined;
  /**
   * What Redis does when its memory is full.
   *
   * Allowed: one of noeviction, allkeys-lru, allkeys-lfu, allkeys-random, volatile-lru, volatile-lfu, volatile-random,
   * volatile-ttl. Default: noeviction.
   */
  readonly maxmemoryPolicy?: "noeviction" | "allkeys-lru" | "allkeys-lfu" | "allkeys-random" | "volatile-lru" | "volatile-lfu" | "volatile-random" | "volatile-ttl" | undefined;
  /**
   * When a write is acknowledged: `async`, as soon as the master has it; `sync`, as soon as a replica has it, too;
   * `quorum`, as soon as a majority of all instances has it, and then only an instance leads that has all such writes.
   * The price of `quorum`: whoever has no majority of the data has no master; with 3 instances and one gone for good,
   * the next loss stops writes until it is back.
   *
   * Allowed: one of async, sync, quorum. Default: async.
   */
  readonly durability?: "async" | "sync" | "quorum" | undefined;
  /**
   * When Redis has its append-only file written through to the disk: `everysec`, once a second; `always`, before it
   * answers, and before a replica confirms. With `always` and `redis:durability` `quorum` a power cut of all nodes loses
   * nothing that was acknowledged; each write waits for a disk.
   *
   * Allowed: one of everysec, always. Default: everysec.
   */
  readonly fsync?: "everysec" | "always" | undefined;
  /**
   * The applications' users, each with a password of its own. Without `rules` a user may do everything with the data and
   * nothing with the server. A client that gives only a password is `default`. With `existingSecret` the password is the
   * one in that Secret of the namespace, each of its lines, and follows it while everything runs.
   *
   * Allowed: a JSON list of {name, rules?, existingSecret?: {name, key?}} with ACL rules, at least one. Default: one
   * user, `default`.
   */
  readonly users?: readonly ApplicationUser[] | undefined;
  /**
   * Raise it by one to change all passwords. The previous ones stay valid until the next change.
   *
   * Allowed: a whole number from 1 to 1000000. Default: 1.
   */
  readonly passwordGeneration?: number | undefined;
  /**
   * Further lines for redis.conf, separated by newlines. Directives that redis-ha sets itself are refused.
   *
   * Allowed: lines of redis.conf. Default: none.
   */
  readonly extraConfig?: string | undefined;
  /**
   * Modules that every Redis loads: `bundled` are those that the image brings (JSON, search and others in Redis 8's), a
   * path is a file in the image or on a volume of extraMounts.
   *
   * Allowed: `bundled`, absolute paths of .so files, or both, separated by commas. Default: none.
   */
  readonly modules?: readonly string[] | undefined;
  /**
   * CPU that each Redis pod requests. There is no limit: one that is throttled looks dead to the others.
   *
   * Allowed: CPUs, at least 10m, such as 250m or 1.5. Default: 50m.
   */
  readonly cpu?: string | undefined;
  /**
   * Memory that each Redis pod requests. Less than the limit, and a full node may end the pod.
   *
   * Allowed: a Kubernetes quantity of at least 16Mi, such as 512Mi or 8Gi. Default: the limit.
   */
  readonly memoryRequest?: string | undefined;
  /**
   * Labels of the nodes on which Redis pods may run.
   *
   * Allowed: a JSON object of texts. Default: none.
   */
  readonly nodeSelector?: Labels | undefined;
  /**
   * Taints of nodes that Redis pods tolerate, beside those of lost nodes.
   *
   * Allowed: a JSON list of tolerations. Default: none.
   */
  readonly tolerations?: readonly Toleration[] | undefined;
  /**
   * Affinity of Redis pods, beside the rule that keeps them apart (redis-ha:spread).
   *
   * Allowed: a JSON object with nodeAffinity, podAffinity and podAntiAffinity. Default: none.
   */
  readonly affinity?: Affinity | undefined;
  /**
   * Annotations of Redis pods.
   *
   * Allowed: a JSON object of texts. Default: none.
   */
  readonly podAnnotations?: Labels | undefined;
  /**
   * Labels of Redis pods, beside redis-ha's own.
   *
   * Allowed: a JSON object of texts. Default: none.
   */
  readonly podLabels?: Labels | undefined;
  /**
   * PriorityClass of Redis pods.
   *
   * Allowed: the name of a PriorityClass (kubectl get priorityclass). Default: redis-ha:priorityClass.
   */
  readonly priorityClass?: string | undefined;
  /**
   * Environment of the Redis container, beside redis-ha's own. Secrets come as files.
   *
   * Allowed: a JSON list of {name, value} or {name, valueFrom}. Default: none.
   */
  readonly extraEnv?: readonly Variable[] | undefined;
  /**
   * Volumes of Redis pods, beside redis-ha's own.
   *
   * Allowed: a JSON list of volumes, each with one source: configMap, csi, downwardAPI, emptyDir, ephemeral,
   * persistentVolumeClaim, projected, secret. Default: none.
   */
  readonly extraVolumes?: readonly ExtraVolume[] | undefined;
  /**
   * Where the Redis container finds volumes of extraVolumes.
   *
   * Allowed: a JSON list of {name, mountPath, subPath?, readOnly?}. Default: none.
   */
  readonly extraMounts?: readonly Mount[] | undefined;
  /**
   * Containers beside the Redis container. They are restricted as it is, request CPU and memory, limit memory, and name
   * their image by digest. The pod is ready when they are, too.
   *
   * Allowed: a JSON list of containers. Default: none.
   */
  readonly sidecars?: readonly ExtraContainer[] | undefined;
  /**
   * Containers that run before the Redis container starts. The same rules as for sidecars.
   *
   * Allowed: a JSON list of containers. Default: none.
   */
  readonly initContainers?: readonly ExtraContainer[] | undefined;
  /**
   * Last resort: JSON merge patches of the Redis deployment, applied after everything else; lists of named things merge
   * by name. What would break a promise of redis-ha is refused at preview.
   *
   * Allowed: a JSON object with deployment. Default: none.
   */
  readonly patches?: Pick<Patches, "deployment"> | undefined;
}

/** The Sentinels. */
export interface SentinelArgs {
  /**
   * Sentinels. A majority of them elects the leader of a failover.
   *
   * Allowed: an odd number from 3 to 9. Default: 3.
   */
  readonly count?: number | undefined;
  /**
   * Sentinels that must see the master down before a failover starts: a majority of them or more.
   *
   * Allowed: a whole number from 2 to 9. Default: (count + 1) / 2.
   */
  readonly quorum?: number | undefined;
  /**
   * Time in ms without an answer after which a Sentinel considers the master down.
   *
   * Allowed: a whole number from 500 to 60000. Default: 1000.
   */
  readonly downAfterMs?: number | undefined;
  /**
   * Timeout in ms of each step of a failover. A failed failover is retried after twice this time.
   *
   * Allowed: a whole number from 3000 to 600000. Default: 6000.
   */
  readonly failoverTimeoutMs?: number | undefined;
  /**
   * Replicas that are pointed to a new master at the same time.
   *
   * Allowed: a whole number from 1 to 8. Default: instances − 1.
   */
  readonly parallelSyncs?: number | undefined;
  /**
   * Name of the master in the Sentinels' configuration; Sentinel clients ask for it.
   *
   * Allowed: up to 63 letters, digits, dots, dashes and underscores. Default: redis-ha-<stack>.
   */
  readonly masterName?: string | undefined;
  /**
   * Seconds after which the pod of a Sentinel on a lost node is started on another one.
   *
   * Allowed: a whole number from 0 to 86400. Default: 30.
   */
  readonly tolerationSeconds?: number | undefined;
  /**
   * Size of each Sentinel volume. It holds one small file.
   *
   * Allowed: a Kubernetes quantity of at least 1Mi, such as 512Mi or 8Gi. Default: 16Mi.
   */
  readonly storage?: string | undefined;
  /**
   * Memory limit of each Sentinel pod.
   *
   * Allowed: a Kubernetes quantity of at least 128Mi, such as 512Mi or 8Gi. Default: 128Mi.
   */
  readonly memory?: string | undefined;
  /**
   * CPU that each Sentinel pod requests. There is no limit: one that is throttled looks dead to the others.
   *
   * Allowed: CPUs, at least 10m, such as 250m or 1.5. Default: 50m.
   */
  readonly cpu?: string | undefined;
  /**
   * Memory that each Sentinel pod requests. Less than the limit, and a full node may end the pod.
   *
   * Allowed: a Kubernetes quantity of at least 16Mi, such as 512Mi or 8Gi. Default: the limit.
   */
  readonly memoryRequest?: string | undefined;
  /**
   * Labels of the nodes on which Sentinel pods may run.
   *
   * Allowed: a JSON object of texts. Default: none.
   */
  readonly nodeSelector?: Labels | undefined;
  /**
   * Taints of nodes that Sentinel pods tolerate, beside those of lost nodes.
   *
   * Allowed: a JSON list of tolerations. Default: none.
   */
  readonly tolerations?: readonly Toleration[] | undefined;
  /**
   * Affinity of Sentinel pods, beside the rule that keeps them apart (redis-ha:spread).
   *
   * Allowed: a JSON object with nodeAffinity, podAffinity and podAntiAffinity. Default: none.
   */
  readonly affinity?: Affinity | undefined;
  /**
   * Annotations of Sentinel pods.
   *
   * Allowed: a JSON object of texts. Default: none.
   */
  readonly podAnnotations?: Labels | undefined;
  /**
   * Labels of Sentinel pods, beside redis-ha's own.
   *
   * Allowed: a JSON object of texts. Default: none.
   */
  readonly podLabels?: Labels | undefined;
  /**
   * PriorityClass of Sentinel pods.
   *
   * Allowed: the name of a PriorityClass (kubectl get priorityclass). Default: redis-ha:priorityClass.
   */
  readonly priorityClass?: string | undefined;
  /**
   * Environment of the Sentinel container, beside redis-ha's own. Secrets come as files.
   *
   * Allowed: a JSON list of {name, value} or {name, valueFrom}. Default: none.
   */
  readonly extraEnv?: readonly Variable[] | undefined;
  /**
   * Volumes of Sentinel pods, beside redis-ha's own.
   *
   * Allowed: a JSON list of volumes, each with one source: configMap, csi, downwardAPI, emptyDir, ephemeral,
   * persistentVolumeClaim, projected, secret. Default: none.
   */
  readonly extraVolumes?: readonly ExtraVolume[] | undefined;
  /**
   * Where the Sentinel container finds volumes of extraVolumes.
   *
   * Allowed: a JSON list of {name, mountPath, subPath?, readOnly?}. Default: none.
   */
  readonly extraMounts?: readonly Mount[] | undefined;
  /**
   * Containers beside the Sentinel container. They are restricted as it is, request CPU and memory, limit memory, and
   * name their image by digest. The pod is ready when they are, too.
   *
   * Allowed: a JSON list of containers. Default: none.
   */
  readonly sidecars?: readonly ExtraContainer[] | undefined;
  /**
   * Containers that run before the Sentinel container starts. The same rules as for sidecars.
   *
   * Allowed: a JSON list of containers. Default: none.
   */
  readonly initContainers?: readonly ExtraContainer[] | undefined;
  /**
   * Last resort: JSON merge patches of the Sentinel deployment, applied after everything else; lists of named things
   * merge by name. What would break a promise of redis-ha is refused at preview.
   *
   * Allowed: a JSON object with deployment. Default: none.
   */
  readonly patches?: Pick<Patches, "deployment"> | undefined;
}

/** The proxies, and the endpoint that clients use. */
export interface ProxyArgs {
  /**
   * Proxies behind the endpoint.
   *
   * Allowed: a whole number from 1 to 50. Default: 2.
   */
  readonly replicas?: number | undefined;
  /**
   * Worker processes of each proxy, to use more than one core. They share its memory and its other limits.
   *
   * Allowed: a whole number from 1 to 16. Default: 1.
   */
  readonly workers?: number | undefined;
  /**
   * How long in ms a client waits while there is no master, before it gets an error.
   *
   * Allowed: a whole number from 1000 to 300000. Default: downAfterMs + 10 s, from 10 s to 60 s.
   */
  readonly holdTimeoutMs?: number | undefined;
  /**
   * With `redis:durability` `sync` or `quorum`: how long in ms a replica may take to confirm a write, before its client
   * gets UNCERTAIN.
   *
   * Allowed: a whole number from 50 to 10000. Default: 1000.
   */
  readonly durabilityTimeoutMs?: number | undefined;
  /**
   * Type of the endpoint's Service. With the other two, clients outside the cluster reach it.
   *
   * Allowed: one of ClusterIP, NodePort, LoadBalancer. Default: ClusterIP.
   */
  readonly serviceType?: "ClusterIP" | "NodePort" | "LoadBalancer" | undefined;
  /**
   * Seconds for which a terminating proxy still accepts new clients, until nodes and load balancers send it none.
   *
   * Allowed: a whole number from 0 to 600. Default: 5.
   */
  readonly stopDelaySeconds?: number | undefined;
  /**
   * Whether the proxy answers Sentinel clients on port 26379. It names itself as the master.
   *
   * Allowed: true or false. Default: true.
   */
  readonly sentinelApi?: boolean | undefined;
  /**
   * Client connections that one proxy accepts.
   *
   * Allowed: a whole number from 1 to 100000. Default: 10000.
   */
  readonly maxClients?: number | undefined;
  /**
   * Connections to Redis that one proxy opens for single clients: subscriptions, transactions, blocking commands.
   * Further clients get an error.
   *
   * Allowed: a whole number from 10 to 20000. Default: 4000, or less with more than 3 proxies (Redis takes 20 000
   * connections in all) or little redis:memory (32Ki for each connection of each proxy).
   */
  readonly maxDedicated?: number | undefined;
  /**
   * Commands that are executed although they act on one instance behind the proxy's back: for users without `rules`, and
   * for those whose `rules` allow them. See docs/commands.md.
   *
   * Allowed: names among acl|deluser, acl|load, acl|setuser, bgrewriteaof, bgsave, save, client|kill, client|pause,
   * client|unpause, cluster, config|resetstat, config|rewrite, config|set, migrate, pfdebug, pfselftest, separated by
   * commas. Default: none.
   */
  readonly allowCommands?: readonly string[] | undefined;
  /**
   * Seconds after which the pod of a proxy on a lost node is started on another one.
   *
   * Allowed: a whole number from 0 to 86400. Default: 30.
   */
  readonly tolerationSeconds?: number | undefined;
  /**
   * Memory limit of each proxy pod.
   *
   * Allowed: a Kubernetes quantity of at least 128Mi, such as 512Mi or 8Gi. Default: 512Mi.
   */
  readonly memory?: string | undefined;
  /**
   * CPU limit of each proxy pod, where a quota wants one. A throttled proxy delays all its clients; Redis and the
   * Sentinels have no CPU limit.
   *
   * Allowed: CPUs, at least 500m, such as 250m or 1.5. Default: none.
   */
  readonly cpuLimit?: string | undefined;
  /**
   * CPU that each proxy pod requests. There is no limit: one that is throttled looks dead to the others.
   *
   * Allowed: CPUs, at least 10m, such as 250m or 1.5. Default: 50m.
   */
  readonly cpu?: string | undefined;
  /**
   * Memory that each proxy pod requests. Less than the limit, and a full node may end the pod.
   *
   * Allowed: a Kubernetes quantity of at least 16Mi, such as 512Mi or 8Gi. Default: the limit.
   */
  readonly memoryRequest?: string | undefined;
  /**
   * Labels of the nodes on which proxy pods may run.
   *
   * Allowed: a JSON object of texts. Default: none.
   */
  readonly nodeSelector?: Labels | undefined;
  /**
   * Taints of nodes that proxy pods tolerate, beside those of lost nodes.
   *
   * Allowed: a JSON list of tolerations. Default: none.
   */
  readonly tolerations?: readonly Toleration[] | undefined;
  /**
   * Affinity of proxy pods, beside the rule that keeps them apart (redis-ha:spread).
   *
   * Allowed: a JSON object with nodeAffinity, podAffinity and podAntiAffinity. Default: none.
   */
  readonly affinity?: Affinity | undefined;
  /**
   * Annotations of proxy pods.
   *
   * Allowed: a JSON object of texts. Default: none.
   */
  readonly podAnnotations?: Labels | undefined;
  /**
   * Labels of proxy pods, beside redis-ha's own.
   *
   * Allowed: a JSON object of texts. Default: none.
   */
  readonly podLabels?: Labels | undefined;
  /**
   * PriorityClass of proxy pods.
   *
   * Allowed: the name of a PriorityClass (kubectl get priorityclass). Default: redis-ha:priorityClass.
   */
  readonly priorityClass?: string | undefined;
  /**
   * Environment of the proxy container, beside redis-ha's own. Secrets come as files.
   *
   * Allowed: a JSON list of {name, value} or {name, valueFrom}. Default: none.
   */
  readonly extraEnv?: readonly Variable[] | undefined;
  /**
   * Volumes of proxy pods, beside redis-ha's own.
   *
   * Allowed: a JSON list of volumes, each with one source: configMap, csi, downwardAPI, emptyDir, ephemeral,
   * persistentVolumeClaim, projected, secret. Default: none.
   */
  readonly extraVolumes?: readonly ExtraVolume[] | undefined;
  /**
   * Where the proxy container finds volumes of extraVolumes.
   *
   * Allowed: a JSON list of {name, mountPath, subPath?, readOnly?}. Default: none.
   */
  readonly extraMounts?: readonly Mount[] | undefined;
  /**
   * Containers beside the proxy container. They are restricted as it is, request CPU and memory, limit memory, and name
   * their image by digest. The pod is ready when they are, too.
   *
   * Allowed: a JSON list of containers. Default: none.
   */
  readonly sidecars?: readonly ExtraContainer[] | undefined;
  /**
   * Containers that run before the proxy container starts. The same rules as for sidecars.
   *
   * Allowed: a JSON list of containers. Default: none.
   */
  readonly initContainers?: readonly ExtraContainer[] | undefined;
  /**
   * Last resort: JSON merge patches of the proxy deployment and service, applied after everything else; lists of named
   * things merge by name. What would break a promise of redis-ha is refused at preview.
   *
   * Allowed: a JSON object with deployment, service or both. Default: none.
   */
  readonly patches?: Patches | undefined;
  /**
   * Annotations of the endpoint's Service: what a cloud's load balancer is told.
   *
   * Allowed: a JSON object of texts. Default: none.
   */
  readonly serviceAnnotations?: Labels | undefined;
  /**
   * Labels of the endpoint's Service.
   *
   * Allowed: a JSON object of texts. Default: none.
   */
  readonly serviceLabels?: Labels | undefined;
  /**
   * Who makes the load balancer. It can't change later.
   *
   * Allowed: a name with an optional prefix. Default: the cluster's default.
   */
  readonly loadBalancerClass?: string | undefined;
  /**
   * Addresses that the load balancer lets through.
   *
   * Allowed: address ranges in CIDR notation, separated by commas. Default: all.
   */
  readonly loadBalancerSourceRanges?: readonly string[] | undefined;
  /**
   * Whether clients outside come by any node, or only by nodes with a proxy: then a proxy sees their addresses.
   *
   * Allowed: one of Cluster, Local. Default: Cluster, where the Service type has it.
   */
  readonly externalTrafficPolicy?: "Cluster" | "Local" | undefined;
  /**
   * Port of each node for Redis clients outside the cluster.
   *
   * Allowed: a whole number from 1 to 65535. Default: the cluster chooses.
   */
  readonly nodePort?: number | undefined;
  /**
   * Port of each node for Sentinel clients outside the cluster.
   *
   * Allowed: a whole number from 1 to 65535. Default: the cluster chooses.
   */
  readonly sentinelNodePort?: number | undefined;
  /**
   * Address families of the endpoint's Service, the first one first.
   *
   * Allowed: IPv4, IPv6 or both, separated by a comma. Default: the cluster's.
   */
  readonly ipFamilies?: readonly string[] | undefined;
  /**
   * Whether the endpoint's Service has one address or one of each family.
   *
   * Allowed: one of SingleStack, PreferDualStack, RequireDualStack. Default: the cluster's.
   */
  readonly ipFamilyPolicy?: "SingleStack" | "PreferDualStack" | "RequireDualStack" | undefined;
}

/** Encryption of connections. */
export interface TlsArgs {
  /**
   * Where TLS is used: nowhere, between clients and the proxy, or everywhere. Without a Secret or an issuer the stack
   * has its own authority.
   *
   * Allowed: one of off, clients, all. Default: off.
   */
  readonly mode?: "off" | "clients" | "all" | undefined;
  /**
   * Further host names and addresses of the proxy, for its certificate.
   *
   * Allowed: host names and IP addresses, separated by commas. Default: none beside those inside the cluster.
   */
  readonly hostnames?: readonly string[] | undefined;
  /**
   * Raise it by one to replace the stack's own authority and all its certificates. The previous authority stays trusted
   * until the next change.
   *
   * Allowed: a whole number from 1 to 1000000. Default: 1.
   */
  readonly generation?: number | undefined;
  /**
   * A Secret in the namespace with tls.crt, tls.key and ca.crt instead of the stack's own authority.
   *
   * Allowed: the name of a Secret of type kubernetes.io/tls. Default: none.
   */
  readonly secret?: string | undefined;
  /**
   * An issuer of cert-manager, as kind/name, instead of the stack's own authority.
   *
   * Allowed: Issuer/name or ClusterIssuer/name. Default: none.
   */
  readonly issuer?: string | undefined;
}

/** Who may connect to whom. */
export interface NetworkArgs {
  /**
   * Addresses that the pods have and listen on. IPv6 where pods have no IPv4 address.
   *
   * Allowed: one of IPv4, IPv6. Default: IPv4.
   */
  readonly ipFamily?: "IPv4" | "IPv6" | undefined;
  /**
   * Whether the stack creates NetworkPolicies, which allow only the connections that it needs.
   *
   * Allowed: true or false. Default: true.
   */
  readonly policies?: boolean | undefined;
  /**
   * Namespaces whose pods may connect to the endpoint.
   *
   * Allowed: names of namespaces, separated by commas. Default: all.
   */
  readonly clientNamespaces?: readonly string[] | undefined;
  /**
   * Labels that a pod must have to connect to the endpoint.
   *
   * Allowed: labels key=value, separated by commas. Default: none: every pod of those namespaces.
   */
  readonly clientSelector?: readonly string[] | undefined;
  /**
   * Addresses outside of the cluster's pods that may connect to the endpoint.
   *
   * Allowed: address ranges in CIDR notation, separated by commas. Default: none with ClusterIP, all with NodePort and
   * LoadBalancer.
   */
  readonly clientCidrs?: readonly string[] | undefined;
  /**
   * Namespaces whose pods may read the health and metrics port, 8080.
   *
   * Allowed: names of namespaces, separated by commas. Default: none.
   */
  readonly metricsNamespaces?: readonly string[] | undefined;
  /**
   * Connections to the pods that are allowed beside redis-ha's own: exporters, meshes, backups. Without `parts` a rule
   * is for all three.
   *
   * Allowed: a JSON list of {parts?, from, ports?} as in a NetworkPolicy. Default: none.
   */
  readonly extraIngress?: readonly IngressRule[] | undefined;
  /**
   * Connections of the pods that are allowed beside redis-ha's own. Without `parts` a rule is for all three.
   *
   * Allowed: a JSON list of {parts?, to, ports?} as in a NetworkPolicy. Default: none.
   */
  readonly extraEgress?: readonly EgressRule[] | undefined;
}

/** What a Prometheus is told. */
export interface MonitoringArgs {
  /**
   * Whether the stack makes a PodMonitor, by which a Prometheus Operator reads the metrics of Redis, Sentinels and
   * proxies.
   *
   * Allowed: true or false. Default: false.
   */
  readonly podMonitor?: boolean | undefined;
  /**
   * Whether the stack makes a PrometheusRule with its alerts. They need the PodMonitor's labels.
   *
   * Allowed: true or false. Default: false.
   */
  readonly rules?: boolean | undefined;
  /**
   * Whether the stack makes a ConfigMap with a dashboard, which Grafana's sidecar finds by the label grafana_dashboard.
   *
   * Allowed: true or false. Default: false.
   */
  readonly dashboard?: boolean | undefined;
  /**
   * Labels of these objects, by which your Prometheus selects them.
   *
   * Allowed: labels key=value, separated by commas. Default: none beside the stack's own.
   */
  readonly labels?: readonly string[] | undefined;
}

/** Backups, and what a new stack begins with. */
export interface BackupArgs {
  /**
   * Where backups are kept: a bucket, a claim of the namespace that several pods can mount, or a directory of the pods
   * that you mount yourself. Without it there are none. See docs/backup.md.
   *
   * Allowed: s3://bucket/prefix, pvc://claim/path or file:///path. Default: none.
   */
  readonly destination?: string | undefined;
  /**
   * Address of a store other than Amazon's.
   *
   * Allowed: https://host or https://host:port. Default: Amazon's, of the region.
   */
  readonly endpoint?: string | undefined;
  /**
   * Region of the bucket.
   *
   * Allowed: the name of a region. Default: us-east-1.
   */
  readonly region?: string | undefined;
  /**
   * A Secret of the namespace with `access-key-id` and `secret-access-key` for the bucket and, if its endpoint needs
   * them, authorities as `ca.crt`. Only Redis pods mount it.
   *
   * Allowed: the name of a Secret. Default: none.
   */
  readonly credentialsSecret?: string | undefined;
  /**
   * A key of a Secret of the namespace with which backups are encrypted: what `age-keygen` makes, or only its recipient
   * (`age1…`); then pods can't read what they write, and verify nothing.
   *
   * Allowed: a JSON object {name, key?}. Default: none: backups aren't encrypted.
   */
  readonly encryptionKey?: { readonly name: string; readonly key?: string | undefined } | undefined;
  /**
   * When a backup is made: five fields of cron, in UTC. `never`: only on demand.
   *
   * Allowed: five fields of cron, or never. Default: 0 3 * * *.
   */
  readonly schedule?: string | undefined;
  /**
   * How many good backups are kept. The newest good one always is.
   *
   * Allowed: a whole number from 1 to 10000. Default: 14.
   */
  readonly keep?: number | undefined;
  /**
   * For how many days a backup is kept, within that number. 0: the number alone decides.
   *
   * Allowed: a whole number from 0 to 36500. Default: 0.
   */
  readonly keepDays?: number | undefined;
  /**
   * How much a backup reads in a second. Less spares the network and disks, and makes its fork take memory for longer.
   *
   * Allowed: a Kubernetes quantity of at least 64Ki, such as 512Mi or 8Gi. Default: 64Mi.
   */
  readonly bandwidth?: string | undefined;
  /**
   * Addresses of the store: a Redis pod may connect to its port there and nowhere else.
   *
   * Allowed: address ranges in CIDR notation, separated by commas. Default: all, at the port of the endpoint.
   */
  readonly cidrs?: readonly string[] | undefined;
  /**
   * Address of the name server that knows the store's name (kubectl get service kube-dns -n kube-system). Redis pods
   * have none otherwise.
   *
   * Allowed: an IP address. Default: none: the endpoint is an address.
   */
  readonly nameServer?: string | undefined;
  /**
   * Id of a backup of the destination, or `latest`: what a stack without any data begins with. It has no effect once the
   * stack has data.
   *
   * Allowed: the id of a backup (redis-ha backup list), or latest. Default: none.
   */
  readonly restoreFrom?: string | undefined;
}

/** A Redis that exists already, whose data are taken over. */
export interface MoveArgs {
  /**
   * The master of another Redis, `address:port`, whose data this stack takes over: until `redis-ha move cut-over` its
   * instances are replicas of it, and the proxies send their clients there. See docs/move.md.
   *
   * Allowed: address:port. Default: none.
   */
  readonly source?: string | undefined;
  /**
   * User of that Redis as whom instances and proxies log in. It needs the permissions of docs/move.md.
   *
   * Allowed: the name of a user. Default: the one named default.
   */
  readonly user?: string | undefined;
  /**
   * A key of a Secret of the namespace with the password of that user.
   *
   * Allowed: a JSON object {name, key?}. Default: none: that Redis asks for no password.
   */
  readonly passwordSecret?: { readonly name: string; readonly key?: string | undefined } | undefined;
}

/** The images that pods run. */
export interface ImagesArgs {
  /**
   * Whose servers run: Redis or Valkey. The image has to be its own. It can't be changed later: see docs/platform.md.
   *
   * Allowed: one of redis, valkey. Default: redis.
   */
  readonly engine?: "redis" | "valkey" | undefined;
  /**
   * The Redis and Sentinel image. Prebuilt, it needs no build.
   *
   * Allowed: an image reference with an exact tag, a digest or both. Default: needed.
   */
  readonly sentinel: Input<string>;
  /**
   * The proxy image. Prebuilt, it needs no build.
   *
   * Allowed: an image reference with an exact tag, a digest or both. Default: needed.
   */
  readonly proxy: Input<string>;
  /**
   * When nodes pull the images.
   *
   * Allowed: one of IfNotPresent, Always, Never. Default: the cluster's: IfNotPresent.
   */
  readonly pullPolicy?: "IfNotPresent" | "Always" | "Never" | undefined;
  /**
   * Name of a Secret in the namespace with which pods pull from a private registry.
   *
   * Allowed: the name of a Secret of type kubernetes.io/dockerconfigjson. Default: none.
   */
  readonly pullSecret?: string | undefined;
  /** Changes whenever the Redis and Sentinel image does: for an image that is built again under the same name. */
  readonly sentinelRevision?: Input<string> | undefined;
  /** The same for the proxy image. */
  readonly proxyRevision?: Input<string> | undefined;
}

/** The arguments of {@link RedisHa}. Every mistake in them is told at once, before any resource is declared. */
export interface RedisHaArgs {
  /** The Redis instances. */
  readonly redis?: RedisArgs | undefined;
  /** The Sentinels. */
  readonly sentinel?: SentinelArgs | undefined;
  /** The proxies, and the endpoint that clients use. */
  readonly proxy?: ProxyArgs | undefined;
  /** Encryption of connections. */
  readonly tls?: TlsArgs | undefined;
  /** Who may connect to whom. */
  readonly network?: NetworkArgs | undefined;
  /** What a Prometheus is told. */
  readonly monitoring?: MonitoringArgs | undefined;
  /** Backups, and what a new stack begins with. */
  readonly backup?: BackupArgs | undefined;
  /** A Redis that exists already, whose data are taken over. */
  readonly move?: MoveArgs | undefined;
  /** The images that pods run. */
  readonly images: ImagesArgs;
  /**
   * Kubernetes namespace. One for each stack, unless their names have different prefixes. `pulumi destroy` never deletes
   * it.
   *
   * Allowed: up to 63 lower-case letters, digits and dashes. Default: redis-ha-<stack>.
   */
  readonly namespace?: string | undefined;
  /**
   * Prefix of the names of all objects in the namespace, so that several sets can share one. It can't be changed later.
   *
   * Allowed: up to 30 lower-case letters, digits and dashes that begin with a letter. Default: none.
   */
  readonly namePrefix?: string | undefined;
  /**
   * Whether the stack creates and labels the namespace, or uses an existing one as it is.
   *
   * Allowed: true or false. Default: true.
   */
  readonly createNamespace?: boolean | undefined;
  /**
   * Whether Redis, and the Sentinels, should or must each have a node of their own. `required` needs as many nodes as
   * there are of a kind.
   *
   * Allowed: one of preferred, required. Default: preferred.
   */
  readonly spread?: "preferred" | "required" | undefined;
  /**
   * How long a rollout waits until the pods of a Deployment are ready. A Redis is ready when it is in sync: big data
   * take long.
   *
   * Allowed: a whole number from 30 to 86400. Default: 600.
   */
  readonly rolloutSeconds?: number | undefined;
  /**
   * PriorityClass of all pods: who is evicted first when a node is full.
   *
   * Allowed: the name of a PriorityClass (kubectl get priorityclass). Default: the cluster's default.
   */
  readonly priorityClass?: string | undefined;
  /**
   * Labels of all objects and pods.
   *
   * Allowed: a JSON object of texts. Default: none.
   */
  readonly labels?: Labels | undefined;
  /**
   * Annotations of all objects and pods.
   *
   * Allowed: a JSON object of texts. Default: none.
   */
  readonly annotations?: Labels | undefined;
  /**
   * Whether Pulumi refuses to delete the namespace and the volumes.
   *
   * Allowed: true or false. Default: false.
   */
  readonly protect?: boolean | undefined;
  /**
   * Whether `pulumi destroy` leaves the volumes, for a later `pulumi up`.
   *
   * Allowed: true or false. Default: true.
   */
  readonly keepVolumes?: boolean | undefined;
  /**
   * Context of the kubeconfig to deploy to.
   *
   * Allowed: the name of a context (kubectl config get-contexts). Default: the current context.
   */
  readonly context?: string | undefined;
}
