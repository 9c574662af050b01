import { fileURLToPath } from "node:url";
import type { ClusterCertificates } from "./certificates.ts";
import { dockerSocket } from "./configuration.ts";
import { type ClusterPlaces, clusterPorts, network } from "./places.ts";

/** A process of the cluster: its name, program and arguments. */
export interface ClusterProcess {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
}

/** Everything below Kubernetes: containers, images, storage. These depend on nothing and start at once. */
export function foundation(places: ClusterPlaces): ClusterProcess[] {
  return [
    { name: "containerd", program: "containerd", args: ["--config", `${places.config}/containerd.toml`] },
    { name: "registry", program: "docker-registry", args: ["serve", `${places.config}/registry.yaml`] },
    {
      name: "dockerd",
      program: "dockerd",
      args: [
        ...["--host", `unix://${dockerSocket(places)}`, "--data-root", `${places.data}/docker`],
        ...["--exec-root", `${places.run}/docker`, "--pidfile", `${places.run}/docker.pid`],
        // It builds and pushes. Its containers need no network, and it must not change the machine's packet filter.
        ...["--bridge=none", "--iptables=false", "--config-file", `${places.config}/docker.json`],
      ],
    },
    {
      name: "etcd",
      program: "etcd",
      args: [
        ...[
          "--data-dir",
          `${places.data}/etcd`,
          "--listen-client-urls",
          etcdUrl,
          "--advertise-client-urls",
          etcdUrl,
        ],
        ...["--listen-peer-urls", `http://127.0.0.1:${clusterPorts.etcdPeer}`],
        ...["--initial-advertise-peer-urls", `http://127.0.0.1:${clusterPorts.etcdPeer}`],
        ...["--initial-cluster", `default=http://127.0.0.1:${clusterPorts.etcdPeer}`],
        // A test cluster: after a power cut it may be made anew.
        "--unsafe-no-fsync",
      ],
    },
  ];
}

const etcdUrl = `http://127.0.0.1:${clusterPorts.etcd}`;

/** The API server. It waits for etcd by itself. */
export function apiServer(
  bin: string,
  { ca, apiServer: own, admin, serviceAccount }: ClusterCertificates,
): ClusterProcess {
  return {
    name: "kube-apiserver",
    program: `${bin}/kube-apiserver`,
    args: [
      `--etcd-servers=${etcdUrl}`,
      `--secure-port=${clusterPorts.apiServer}`,
      // Reachable from this machine and its pods only.
      `--bind-address=${network.nodeAddress}`,
      `--advertise-address=${network.nodeAddress}`,
      `--service-cluster-ip-range=${network.serviceRange}`,
      `--client-ca-file=${ca.cert}`,
      `--tls-cert-file=${own.cert}`,
      `--tls-private-key-file=${own.key}`,
      `--kubelet-certificate-authority=${ca.cert}`,
      `--kubelet-client-certificate=${admin.cert}`,
      `--kubelet-client-key=${admin.key}`,
      "--kubelet-preferred-address-types=InternalIP",
      "--service-account-issuer=https://kubernetes.default.svc",
      `--service-account-key-file=${serviceAccount.publicKey}`,
      `--service-account-signing-key-file=${serviceAccount.key}`,
      "--authorization-mode=Node,RBAC",
      "--enable-admission-plugins=NodeRestriction",
    ],
  };
}

/** What talks to the API server: controllers, scheduler, the node itself and its Service addresses. */
export function workers(
  bin: string,
  places: ClusterPlaces,
  { ca, serviceAccount }: ClusterCertificates,
): ClusterProcess[] {
  const kubeconfig = `--kubeconfig=${places.kubeconfig}`;
  return [
    {
      name: "kube-controller-manager",
      program: `${bin}/kube-controller-manager`,
      args: [
        kubeconfig,
        "--leader-elect=false",
        `--root-ca-file=${ca.cert}`,
        `--service-account-private-key-file=${serviceAccount.key}`,
        "--use-service-account-credentials",
        // Volumes are directories of this machine.
        "--enable-hostpath-provisioner",
        `--cluster-cidr=${network.podRange}`,
        "--bind-address=127.0.0.1",
      ],
    },
    {
      name: "kube-scheduler",
      program: `${bin}/kube-scheduler`,
      args: [kubeconfig, "--leader-elect=false", "--bind-address=127.0.0.1"],
    },
    {
      name: "kubelet",
      program: `${bin}/kubelet`,
      args: [
        `--kubeconfig=${places.config}/kubelet.kubeconfig`,
        `--config=${places.config}/kubelet.json`,
        `--hostname-override=${network.nodeName}`,
        `--node-ip=${network.nodeAddress}`,
        `--root-dir=${places.data}/kubelet`,
        `--cert-dir=${places.data}/kubelet-pki`,
      ],
    },
    {
      name: "open-volumes",
      program: process.execPath,
      args: [fileURLToPath(new URL("open-volumes.ts", import.meta.url))],
    },
    {
      name: "enforce-policies",
      program: process.execPath,
      args: [fileURLToPath(new URL("enforce-policies.ts", import.meta.url)), places.kubeconfig],
    },
    { name: "kube-proxy", program: `${bin}/kube-proxy`, args: [`--config=${places.config}/kube-proxy.json`] },
  ];
}
