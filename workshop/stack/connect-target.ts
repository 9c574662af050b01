import { join } from "node:path";
import type { ConnectedTarget } from "./connected-target.ts";
import type { Target } from "./target.ts";

/** Starts the target's cluster where that is ours to do, and tells how to reach it. */
export async function connectTarget(
  target: Target,
  {
    directory,
    registry,
    onProgress,
  }: { directory: string; registry: string | undefined; onProgress: (line: string) => void },
): Promise<ConnectedTarget> {
  switch (target.kind) {
    case "context":
      return {
        description: `context '${target.context}'`,
        context: target.context,
        registry,
        environment: {},
      };
    case "kind": {
      const { connectKind } = await import("./kind-cluster.ts");
      return connectKind(join(directory, "kind"));
    }
    case "embedded": {
      const { startCluster } = await import("../cluster/embedded-cluster.ts");
      const { pathWithKubectl } = await import("../cluster/programs.ts");
      const cluster = await startCluster({ stateDir: join(directory, "cluster"), onProgress });
      return {
        description: "embedded cluster",
        context: cluster.context,
        registry: cluster.registry,
        environment: {
          KUBECONFIG: cluster.kubeconfig,
          DOCKER_HOST: cluster.dockerHost,
          PATH: pathWithKubectl(),
        },
      };
    }
  }
}
