import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { UserError } from "../../runtime/user-error.ts";
import type { ConnectedTarget } from "./connected-target.ts";

const clusterName = "redis-ha";
const registryName = "redis-ha-registry";
const registryPort = 5001;

/** The nodes' containerd asks for this image registry by the name that it has on this machine. */
const kindConfiguration = `kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
containerdConfigPatches:
  - |-
    [plugins."io.containerd.grpc.v1.cri".registry]
      config_path = "/etc/containerd/certs.d"
`;

/**
 * Starts, or finds, a kind cluster with a registry beside it: the way that kind's documentation describes.
 * Its kubeconfig is a file of its own, the user's stays untouched.
 */
export async function connectKind(directory: string): Promise<ConnectedTarget> {
  mkdirSync(directory, { recursive: true });
  const kubeconfig = join(directory, "kubeconfig");
  const { stdout: clusters } = await run("kind", ["get", "clusters"]);
  if (!clusters.split("\n").includes(clusterName)) {
    const configuration = join(directory, "kind.yaml");
    writeFileSync(configuration, kindConfiguration);
    const create = ["create", "cluster", "--name", clusterName, "--config", configuration, "--wait", "120s"];
    await run("kind", [...create, "--kubeconfig", kubeconfig]);
  }
  await run("kind", ["export", "kubeconfig", "--name", clusterName, "--kubeconfig", kubeconfig]);
  await ensureRegistry();
  return {
    description: `kind cluster '${clusterName}'`,
    context: `kind-${clusterName}`,
    registry: `localhost:${registryPort}`,
    environment: { KUBECONFIG: kubeconfig },
  };
}

async function ensureRegistry(): Promise<void> {
  const { stdout: running } = await run("docker", ["ps", "--all", "--format", "{{.Names}}"]);
  if (running.split("\n").includes(registryName)) await run("docker", ["start", registryName]);
  else {
    const port = `127.0.0.1:${registryPort}:5000`;
    await run("docker", [
      "run",
      "--detach",
      "--restart=always",
      "--publish",
      port,
      "--name",
      registryName,
      "registry:3.0.0",
    ]);
  }
  const networks = ["inspect", "--format", "{{json .NetworkSettings.Networks}}", registryName];
  const { stdout: attached } = await run("docker", networks);
  if (!attached.includes('"kind"')) await run("docker", ["network", "connect", "kind", registryName]);

  const { stdout: nodes } = await run("kind", ["get", "nodes", "--name", clusterName]);
  const hosts = `[host."http://${registryName}:5000"]\n`;
  const folder = `/etc/containerd/certs.d/localhost:${registryPort}`;
  for (const node of nodes.split("\n").filter((line) => line !== "")) {
    await run("docker", ["exec", node, "mkdir", "-p", folder]);
    await execa("docker", ["exec", "--interactive", node, "cp", "/dev/stdin", `${folder}/hosts.toml`], {
      input: hosts,
    });
  }
}

async function run(command: string, args: readonly string[]): Promise<{ stdout: string }> {
  const result = await execa(command, args, { reject: false, stdin: "ignore" });
  if (result.exitCode !== 0) {
    throw new UserError(
      `'${command} ${args.slice(0, 3).join(" ")}' failed: ${result.stderr || result.shortMessage}`,
    );
  }
  return result;
}
