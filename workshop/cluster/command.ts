import { join, resolve } from "node:path";
import { Command } from "commander";
import { showProgress } from "../../cli/progress.ts";
import { stateDirectory } from "../../cli/state-directory.ts";
import { clusterStatus, startCluster, stopCluster } from "./embedded-cluster.ts";

interface ClusterCommandOptions {
  readonly state: string;
  readonly fresh?: boolean;
  readonly keepData?: boolean;
  readonly json?: true;
}

/** `redis-ha cluster up|status|down`: a real single-node Kubernetes on a machine that has none. */
export function clusterCommand(): Command {
  const command = new Command("cluster").description(
    "A real single-node Kubernetes on this machine (Debian or Ubuntu, root), with a registry, DNS and volumes.",
  );
  withOptions(command.command("up"))
    .description("Start it, or find it running. The first start builds Kubernetes: about 10 minutes.")
    .option("--fresh", "throw away what an earlier cluster held")
    .action(async ({ state, fresh = false, json }: ClusterCommandOptions) => {
      const begin = performance.now();
      const cluster = await startCluster({ stateDir: resolve(state), fresh, onProgress: showProgress });
      const seconds = Math.round((performance.now() - begin) / 100) / 10;
      print(json, { ...cluster, seconds }, [
        `The embedded cluster is ready (${seconds} s).`,
        `  export KUBECONFIG=${cluster.kubeconfig} DOCKER_HOST=${cluster.dockerHost}`,
        `  context ${cluster.context}, registry ${cluster.registry}`,
      ]);
    });
  withOptions(command.command("status"))
    .description("Say what runs. Exit code 1 unless the node is ready.")
    .action(async ({ state, json }: ClusterCommandOptions) => {
      const status = await clusterStatus(resolve(state));
      print(json, status, [
        status.healthy
          ? `The node is ready. Kubeconfig: ${status.kubeconfig}`
          : "The embedded cluster is not up.",
        ...status.running.map(({ name, pid }) => `  ${name.padEnd(24)} ${pid}`),
      ]);
      if (!status.healthy) process.exitCode = 1;
    });
  withOptions(command.command("down"))
    .description("Stop what `up` started and remove its files, bridges and mounts.")
    .option("--keep-data", "keep images, volumes and objects for the next start")
    .action(async ({ state, keepData = false, json }: ClusterCommandOptions) => {
      await stopCluster({ stateDir: resolve(state), keepData, onProgress: showProgress });
      print(json, { stopped: true }, ["The embedded cluster is down."]);
    });
  return command;
}

function withOptions(command: Command): Command {
  return command
    .option("--state <directory>", "where the cluster keeps its files", join(stateDirectory, "cluster"))
    .option("--json", "print the result as JSON");
}

function print(json: true | undefined, value: object, lines: readonly string[]): void {
  process.stdout.write(`${json ? JSON.stringify(value, null, 2) : lines.join("\n")}\n`);
}
