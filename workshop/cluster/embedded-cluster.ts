import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import { portsInUse } from "../../runtime/ports-in-use.ts";
import { ProcessTable } from "../../runtime/process-table.ts";
import { UserError } from "../../runtime/user-error.ts";
import { ensureBaseImages } from "./base-images.ts";
import { type ClusterCertificates, ensureCertificates, renderKubeconfig } from "./certificates.ts";
import * as configuration from "./configuration.ts";
import { apiServer, type ClusterProcess, foundation, workers } from "./control-plane.ts";
import { ensurePackages } from "./debian-packages.ts";
import { removeLeftovers } from "./leftovers.ts";
import { ensureNodeNetwork } from "./node-network.ts";
import {
  type ClusterPlaces,
  clusterPlaces,
  clusterPorts,
  network,
  registry,
  volumesDirectory,
} from "./places.ts";
import { preferPods } from "./prefer-pods.ts";
import { ensureKubernetes, pathWithKubectl } from "./programs.ts";
import { ensureSystemImages } from "./system-images.ts";

/** How to reach a running embedded cluster. */
export interface EmbeddedCluster {
  readonly kubeconfig: string;
  readonly context: string;
  /** Images are pushed to, and pulled from, this registry. */
  readonly registry: string;
  /** DOCKER_HOST of the Docker that builds images. */
  readonly dockerHost: string;
}

export interface StartClusterOptions {
  /** Directory of the cluster's files; made when missing. */
  readonly stateDir: string;
  /** Throw away what an earlier cluster in this directory held. */
  readonly fresh?: boolean;
  readonly onProgress: (line: string) => void;
}

export const contextName = "redis-ha-embedded";

/**
 * Starts a real Kubernetes with one node on this machine, or finds it running: API server, controllers, scheduler, kubelet,
 * containerd, DNS, a registry, a Docker for builds and a default StorageClass. Its kubeconfig is a file of its own.
 *
 * @throws {UserError} when this machine can't, or a part doesn't start; the part's log is named.
 */
export async function startCluster({
  stateDir,
  fresh = false,
  onProgress,
}: StartClusterOptions): Promise<EmbeddedCluster> {
  const places = clusterPlaces(stateDir);
  const table = new ProcessTable(places.processes, places.logs);
  const cluster = describeCluster(places);
  refuseSecondCluster(places);
  if (!fresh && (await isHealthy(places, table))) {
    onProgress("the embedded cluster runs already");
    return cluster;
  }
  refuseImpossible();
  await stopProcesses(table, onProgress);
  await ensurePackages(onProgress);
  await removeLeftovers(places);
  if (fresh) removeState(places);
  const busy = await portsInUse([clusterPorts.registry, clusterPorts.etcd, clusterPorts.etcdPeer]);
  if (busy.length > 0) {
    throw new UserError(
      `Port ${busy.join(", ")} of this machine is in use, the embedded cluster needs it: stop what listens there (ss -ltnp).`,
    );
  }
  for (const directory of [places.logs, places.run, places.data, join(places.config, "cni")]) {
    mkdirSync(directory, { recursive: true });
  }
  writeFileSync(ownerFile(places), places.directory);
  const bin = await ensureKubernetes(onProgress);
  const certificates = await ensureCertificates(places.pki);
  writeConfiguration(places, certificates);
  await ensureNodeNetwork();

  onProgress("starting containerd, Docker, the registry and etcd");
  for (const item of [...foundation(places), apiServer(bin, certificates)]) startProcess(table, item);
  const docker = { DOCKER_HOST: cluster.dockerHost };
  await Promise.all([
    waitFor("the API server", table, "kube-apiserver", () => kubectl(places, ["get", "--raw", "/readyz"])),
    waitFor("Docker", table, "dockerd", () =>
      execa("docker", ["version"], { env: docker, timeout: 5000 }),
    ).then(async () => {
      await ensureSystemImages(places, docker, onProgress);
      await ensureBaseImages(docker, onProgress);
    }),
  ]);
  onProgress("starting the node");
  for (const item of workers(bin, places, certificates)) startProcess(table, item);
  await waitFor("the system objects", table, "kube-apiserver", () =>
    kubectl(
      places,
      ["apply", "--server-side", "--force-conflicts", "-f", "-"],
      configuration.systemManifests(),
    ),
  );
  onProgress("waiting for the node and its DNS");
  await waitFor("the node", table, "kubelet", () =>
    kubectl(places, ["wait", "--for=condition=Ready", `node/${network.nodeName}`, "--timeout=2s"]),
  );
  if (!preferPods()) onProgress("pods get no more of a busy processor than others: figures will vary");
  await waitFor("DNS", table, "kubelet", () =>
    kubectl(places, [
      "--namespace",
      "kube-system",
      "wait",
      "--for=condition=Available",
      "deployment/coredns",
      "--timeout=2s",
    ]),
  );
  return cluster;
}

/** Stops the processes that a start recorded and removes what they leave in the system; the files too unless `keepData`. */
export async function stopCluster({
  stateDir,
  keepData = false,
  onProgress,
}: {
  stateDir: string;
  keepData?: boolean;
  onProgress: (line: string) => void;
}): Promise<void> {
  const places = clusterPlaces(stateDir);
  const table = new ProcessTable(places.processes, places.logs);
  refuseSecondCluster(places);
  await stopProcesses(table, onProgress);
  await removeLeftovers(places);
  if (!keepData) removeState(places);
}

/** The cluster's processes and whether its API answers and its node is ready. */
export async function clusterStatus(stateDir: string): Promise<
  EmbeddedCluster & {
    readonly healthy: boolean;
    readonly running: readonly { readonly name: string; readonly pid: number }[];
  }
> {
  const places = clusterPlaces(stateDir);
  const table = new ProcessTable(places.processes, places.logs);
  return { ...describeCluster(places), healthy: await isHealthy(places, table), running: table.running };
}

function describeCluster(places: ClusterPlaces): EmbeddedCluster {
  return {
    kubeconfig: places.kubeconfig,
    context: contextName,
    registry,
    dockerHost: `unix://${configuration.dockerSocket(places)}`,
  };
}

/** All eleven processes run, and the node says that it is ready. */
async function isHealthy(places: ClusterPlaces, table: ProcessTable): Promise<boolean> {
  if (table.running.length < 11) return false;
  const wait = ["wait", "--for=condition=Ready", `node/${network.nodeName}`, "--timeout=3s"];
  return kubectl(places, wait).then(
    () => true,
    () => false,
  );
}

function refuseImpossible(): void {
  if (process.platform !== "linux" || process.getuid?.() !== 0) {
    throw new UserError(
      "The embedded cluster needs Linux and root: run as root, name a context of your own (make up CONTEXT=…), or use make local.",
    );
  }
  const release = readFileSync("/etc/os-release", "utf8");
  if (!/^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(release)) {
    throw new UserError(
      "The embedded cluster installs Debian packages: it needs Debian or Ubuntu. Use a context of your own or make local.",
    );
  }
}

/** Bridges, ports and packet filters are the machine's: there is one embedded cluster on it, whoever started it. */
function refuseSecondCluster(places: ClusterPlaces): void {
  const file = ownerFile(places);
  const owner = existsSync(file) ? readFileSync(file, "utf8") : places.directory;
  if (owner === places.directory) return;
  const others = clusterPlaces(owner);
  if (new ProcessTable(others.processes, others.logs).running.length === 0) return;
  throw new UserError(
    `Another embedded cluster runs on this machine, and there can be only one: stop it first (redis-ha cluster down --state ${owner}).`,
  );
}

function ownerFile(places: ClusterPlaces): string {
  return join(places.run, "owner");
}

function writeConfiguration(places: ClusterPlaces, certificates: ClusterCertificates): void {
  const read = (file: string): string => readFileSync(file, "utf8");
  const kubeconfigOf = ({ cert, key }: { cert: string; key: string }): string =>
    renderKubeconfig({
      context: contextName,
      ca: read(certificates.ca.cert),
      cert: read(cert),
      key: read(key),
    });
  const files: readonly (readonly [string, string])[] = [
    [places.kubeconfig, kubeconfigOf(certificates.admin)],
    [join(places.config, "kubelet.kubeconfig"), kubeconfigOf(certificates.node)],
    [join(places.config, "containerd.toml"), configuration.containerdConfig(places)],
    [join(places.config, "cni", "10-redis-ha.conflist"), configuration.cniConfig(places)],
    [join(places.config, "registry.yaml"), configuration.registryConfig(places)],
    [join(places.config, "docker.json"), "{}\n"],
    [join(places.config, "kubelet.json"), configuration.kubeletConfig(places)],
    [join(places.config, "kube-proxy.json"), configuration.kubeProxyConfig(places)],
  ];
  for (const [file, text] of files) writeFileSync(file, text, { mode: 0o600 });
}

function startProcess(table: ProcessTable, { name, program, args }: ClusterProcess): void {
  const path = `/usr/sbin:/usr/bin:/sbin:/bin:${process.env.PATH ?? ""}`;
  table.start(name, program, args, { PATH: path, HOME: "/root" });
}

/** Repeats a question until it succeeds; fails early when the process behind it has ended. */
async function waitFor(
  subject: string,
  table: ProcessTable,
  name: string,
  probe: () => Promise<unknown>,
): Promise<void> {
  const deadline = performance.now() + 120_000;
  for (;;) {
    try {
      await probe();
      return;
    } catch (error) {
      if (!table.isRunning(name) || performance.now() > deadline) {
        const log = readFileSync(table.logOf(name), "utf8").trimEnd().split("\n").slice(-5).join("\n");
        const what = table.isRunning(name) ? "did not get ready in 2 minutes" : `: ${name} ended`;
        throw new UserError(
          `The embedded cluster did not start: ${subject} ${what}. ${table.logOf(name)} ends with\n${log}`,
          { cause: error },
        );
      }
      await delay(200);
    }
  }
}

async function kubectl(places: ClusterPlaces, args: readonly string[], input?: string): Promise<void> {
  await execa("kubectl", ["--kubeconfig", places.kubeconfig, ...args], {
    timeout: 10_000,
    env: { PATH: pathWithKubectl() },
    ...(input === undefined ? { stdin: "ignore" as const } : { input }),
  });
}

/** In the reverse order of the start: the node first, so that it doesn't restart what is being stopped. */
async function stopProcesses(table: ProcessTable, onProgress: (line: string) => void): Promise<void> {
  const names = table.running.map(({ name }) => name).toReversed();
  if (names.length > 0) onProgress(`stopping ${names.length} processes of the embedded cluster`);
  for (const name of names) await table.stop(name, 5000);
}

function removeState(places: ClusterPlaces): void {
  for (const directory of [
    places.data,
    places.run,
    places.config,
    places.pki,
    places.logs,
    volumesDirectory,
  ]) {
    rmSync(directory, { recursive: true, force: true });
  }
  rmSync(places.kubeconfig, { force: true });
  rmSync(places.processes, { force: true });
}
