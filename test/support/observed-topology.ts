import assert from "node:assert/strict";
import { LocalTopology } from "../../cli/local/local-topology.ts";
import { ClusterControl } from "../../workshop/chaos/cluster-control.ts";
import { observer } from "../../workshop/chaos/observer.ts";
import { freeBasePort } from "./free-ports.ts";
import { temporaryDirectory } from "./redis-process.ts";

/** A topology of this machine in a directory, and the means to break it. The test stops both. */
export async function startObserved(
  directory: string,
  configuration: Readonly<Record<string, string>> = {},
): Promise<{ readonly topology: LocalTopology; readonly cluster: ClusterControl }> {
  const topology = await LocalTopology.start({
    directory,
    basePort: await freeBasePort(),
    tester: observer,
    configuration,
  });
  return { topology, cluster: await ClusterControl.of(topology, observer) };
}

/** What {@link useObserved} gives the tests of one `describe`; the first two only while they run. */
export interface Observed {
  readonly topology: LocalTopology;
  readonly cluster: ClusterControl;
  /** Where the topology keeps everything. */
  readonly directory: string;
}

/** One topology for all tests of a `describe`: started before them, and stopped after them together with all that it has left. */
export function useObserved(configuration: Readonly<Record<string, string>> = {}): Observed {
  const directory = temporaryDirectory();
  let started: Awaited<ReturnType<typeof startObserved>> | undefined;
  const running = (): NonNullable<typeof started> => started ?? assert.fail("the topology was never started");
  before(async () => {
    started = await startObserved(directory.path, configuration);
  });
  after(async () => {
    started?.cluster.close();
    await started?.topology.stop();
    directory.remove();
  });
  return {
    get topology() {
      return running().topology;
    },
    get cluster() {
      return running().cluster;
    },
    directory: directory.path,
  };
}
