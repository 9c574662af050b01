import { LocalTopology } from "../../cli/local/local-topology.ts";
import { ClusterControl } from "../../workshop/chaos/cluster-control.ts";
import { observer } from "../../workshop/chaos/observer.ts";
import { freeBasePort } from "./free-ports.ts";

/** A topology of this machine in a directory, and the means to break it. The test stops both. */
export async function startObserved(
  directory: string,
): Promise<{ readonly topology: LocalTopology; readonly cluster: ClusterControl }> {
  const topology = await LocalTopology.start({ directory, basePort: await freeBasePort(), tester: observer });
  return { topology, cluster: await ClusterControl.of(topology, observer) };
}
