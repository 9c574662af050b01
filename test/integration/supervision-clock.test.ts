import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { LocalTopology } from "../../cli/local/local-topology.ts";
import { heartbeatKey, parseHeartbeat } from "../../sentinel-image/heartbeat.ts";
import type { ClusterControl } from "../../workshop/chaos/cluster-control.ts";
import { startObserved } from "../support/observed-topology.ts";
import { temporaryDirectory } from "../support/redis-process.ts";

describe("the supervision of an instance", function () {
  this.timeout(90_000);
  const directory = temporaryDirectory();
  let topology: LocalTopology;
  let cluster: ClusterControl;

  before(async () => {
    ({ topology, cluster } = await startObserved(directory.path));
  });

  after(async () => {
    cluster.close();
    await topology.stop();
    directory.remove();
  });

  /** Times between the master's heartbeats of so many ms, by its own clock. */
  async function pauses(forMs: number): Promise<number[]> {
    const master = await cluster.master();
    const beats: number[] = [];
    for (const endMs = performance.now() + forMs; performance.now() < endMs; await delay(20)) {
      const beat = parseHeartbeat(await cluster.call(master, "GET", heartbeatKey))?.ms;
      if (beat !== undefined && beat !== beats.at(-1)) beats.push(beat);
    }
    return beats.slice(1).map((ms, i) => ms - (beats[i] ?? 0));
  }

  it("has a heartbeat every 0.6 s at most, also while a Sentinel is frozen", async () => {
    const [sentinel] = cluster.sentinels;
    assert.ok(sentinel);
    topology.signal(sentinel.name, "SIGSTOP");
    try {
      const found = await pauses(8000);
      // One that a busy machine has held up is none that waited for the Sentinel: that comes each time.
      const late = found.filter((ms) => ms > 600);
      assert.ok(found.length >= 12 && late.length <= 1, `times between heartbeats: ${found.join(", ")} ms`);
    } finally {
      topology.signal(sentinel.name, "SIGCONT");
    }
  });
});
