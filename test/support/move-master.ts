import type { LocalTopology } from "../../cli/local/local-topology.ts";
import { ControlConnection } from "../../quorum/control-connection.ts";

/** Has the first Sentinel move the master, as an administrator does. @param basePort of the topology. */
export async function moveMaster(local: LocalTopology, basePort: number): Promise<void> {
  const sentinel = new ControlConnection({
    address: { host: "127.0.0.1", port: basePort + 201 },
    username: "supervisor",
    password: () => local.passwordOf("supervisor"),
  });
  await sentinel.call("SENTINEL", "FAILOVER", local.settings.sentinel.masterName);
  sentinel.close();
}
