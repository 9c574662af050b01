import { type ClusterPlaces, clusterPorts, network, registry } from "./places.ts";

/** The image that holds a pod's namespaces, and the one of the cluster's DNS. */
export const systemImages = {
  pause: `${registry}/redis-ha-pause:1`,
  coredns: `${registry}/redis-ha-coredns:1`,
} as const;

/** containerd with its own root, state and socket, beside one that may already run. */
export function containerdConfig(places: ClusterPlaces): string {
  return `version = 2
root = "${places.data}/containerd"
state = "${places.run}/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper"]

[grpc]
  address = "${containerdSocket(places)}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${systemImages.pause}"
  # Without this no sandbox starts where lowering the score isn't allowed.
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${places.config}/cni"
`;
}

export function containerdSocket(places: ClusterPlaces): string {
  return `${places.run}/containerd.sock`;
}

export function dockerSocket(places: ClusterPlaces): string {
  return `${places.run}/docker.sock`;
}

/** Pods on one bridge. Without masquerading: nothing outside this machine can be reached. */
export function cniConfig(places: ClusterPlaces): string {
  const bridge = {
    type: "bridge",
    bridge: network.podBridge,
    isGateway: true,
    ipMasq: false,
    hairpinMode: true,
    ipam: {
      type: "host-local",
      dataDir: `${places.data}/cni`,
      ranges: [[{ subnet: network.podRange }]],
      // Not isDefaultGateway as well: the route would be added twice, and fail.
      routes: [{ dst: "0.0.0.0/0" }],
    },
  };
  const portMapping = { type: "portmap", capabilities: { portMappings: true } };
  return JSON.stringify({ cniVersion: "0.4.0", name: "redis-ha", plugins: [bridge, portMapping] }, null, 2);
}

export function registryConfig(places: ClusterPlaces): string {
  return `version: 0.1
log:
  level: warn
storage:
  filesystem:
    rootdirectory: ${places.data}/registry
  delete:
    enabled: true
http:
  addr: 127.0.0.1:${clusterPorts.registry}
`;
}

export function kubeletConfig(places: ClusterPlaces): string {
  return JSON.stringify(
    {
      apiVersion: "kubelet.config.k8s.io/v1beta1",
      kind: "KubeletConfiguration",
      address: network.nodeAddress,
      port: clusterPorts.kubelet,
      healthzPort: 0,
      authentication: {
        anonymous: { enabled: false },
        webhook: { enabled: true },
        x509: { clientCAFile: `${places.pki}/ca.crt` },
      },
      authorization: { mode: "Webhook" },
      tlsCertFile: `${places.pki}/node.crt`,
      tlsPrivateKeyFile: `${places.pki}/node.key`,
      cgroupDriver: "cgroupfs",
      failCgroupV1: false,
      failSwapOn: false,
      containerRuntimeEndpoint: `unix://${containerdSocket(places)}`,
      clusterDNS: [network.dnsService],
      clusterDomain: "cluster.local",
      // No search domains and servers of this machine: pods ask the cluster's DNS only.
      resolvConf: "/dev/null",
      podLogsDir: `${places.data}/pod-logs`,
      // A small machine: images and data of a test never push the node into disk pressure.
      evictionHard: { "memory.available": "50Mi" },
      imageGCHighThresholdPercent: 100,
      syncFrequency: "10s",
      nodeStatusUpdateFrequency: "5s",
      serializeImagePulls: false,
    },
    null,
    2,
  );
}

export function kubeProxyConfig(places: ClusterPlaces): string {
  return JSON.stringify(
    {
      apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
      kind: "KubeProxyConfiguration",
      mode: "nftables",
      bindAddress: network.nodeAddress,
      healthzBindAddress: "",
      metricsBindAddress: "127.0.0.1:10249",
      hostnameOverride: network.nodeName,
      clusterCIDR: network.podRange,
      clientConnection: { kubeconfig: places.kubeconfig },
      conntrack: { maxPerCore: 0 },
      nftables: { syncPeriod: "10s", minSyncPeriod: "100ms" },
    },
    null,
    2,
  );
}

/** The objects that every cluster has: DNS, a default StorageClass, and the right to read them. */
export function systemManifests(): string {
  const labels = { "k8s-app": "kube-dns" };
  const metadata = { name: "coredns", namespace: "kube-system" };
  const corefile = `.:53 {
    errors
    health
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        ttl 5
    }
    cache 5
}
`;
  const objects = [
    { apiVersion: "v1", kind: "ServiceAccount", metadata },
    { apiVersion: "v1", kind: "ConfigMap", metadata, data: { Corefile: corefile } },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name: "coredns" },
      rules: [
        {
          apiGroups: [""],
          resources: ["endpoints", "services", "pods", "namespaces"],
          verbs: ["list", "watch"],
        },
        { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
      ],
    },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name: "coredns" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "coredns" },
      subjects: [{ kind: "ServiceAccount", ...metadata }],
    },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { ...metadata, labels },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            serviceAccountName: "coredns",
            dnsPolicy: "Default",
            containers: [
              {
                name: "coredns",
                image: systemImages.coredns,
                args: ["-conf", "/etc/coredns/Corefile"],
                ports: [
                  { name: "dns", containerPort: 53, protocol: "UDP" },
                  { name: "dns-tcp", containerPort: 53, protocol: "TCP" },
                ],
                readinessProbe: { httpGet: { path: "/ready", port: 8181 }, periodSeconds: 1 },
                volumeMounts: [{ name: "config", mountPath: "/etc/coredns" }],
              },
            ],
            volumes: [{ name: "config", configMap: { name: "coredns" } }],
          },
        },
      },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "kube-dns", namespace: "kube-system", labels },
      spec: {
        clusterIP: network.dnsService,
        selector: labels,
        ports: [
          { name: "dns", port: 53, protocol: "UDP" },
          { name: "dns-tcp", port: 53, protocol: "TCP" },
        ],
      },
    },
    {
      apiVersion: "storage.k8s.io/v1",
      kind: "StorageClass",
      metadata: { name: "standard", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
      provisioner: "kubernetes.io/host-path",
      reclaimPolicy: "Delete",
    },
  ];
  return JSON.stringify({ apiVersion: "v1", kind: "List", items: objects });
}
