import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { heartbeatKey, parseHeartbeat } from "../../sentinel-image/supervise/heartbeat.ts";
import { eventually } from "../support/eventually.ts";
import { useObserved } from "../support/observed-topology.ts";

describe("the supervision of an instance", function () {
  this.timeout(90_000);
  const observed = useObserved();

  /** Times between the master's heartbeats of so many ms, by its own clock. */
  async function pauses(forMs: number): Promise<number[]> {
    const master = await observed.cluster.master();
    const beats: number[] = [];
    for (const endMs = performance.now() + forMs; performance.now() < endMs; await delay(20)) {
      const beat = parseHeartbeat(await observed.cluster.call(master, "GET", heartbeatKey))?.ms;
      if (beat !== undefined && beat !== beats.at(-1)) beats.push(beat);
    }
    return beats.slice(1).map((ms, i) => ms - (beats[i] ?? 0));
  }

  it("has a heartbeat every 0.6 s at most, also while a Sentinel is frozen", async () => {
    const [sentinel] = observed.cluster.sentinels;
    assert.ok(sentinel);
    observed.topology.signal(sentinel.name, "SIGSTOP");
    try {
      const found = await pauses(8000);
      // One that a busy machine has held up is none that waited for the Sentinel: that comes each time.
      const late = found.filter((ms) => ms > 600);
      assert.ok(found.length >= 12 && late.length <= 1, `times between heartbeats: ${found.join(", ")} ms`);
    } finally {
      observed.topology.signal(sentinel.name, "SIGCONT");
    }
  });

  it("lets a replica be promoted again although one Sentinel alone can't reach the master", async () => {
    const { cluster, topology } = observed;
    const { masterName } = topology.settings.sentinel;
    // Not the one that was frozen above: it is in TILT for 30 s, in which a Sentinel calls nobody down.
    const sentinel = cluster.sentinels.at(-1);
    const master = await cluster.master();
    const replica = cluster.instances.find(({ name }) => name !== master.name);
    assert.ok(sentinel && replica);
    const flags = async (): Promise<string> =>
      String(((await cluster.call(sentinel, "SENTINEL", "MASTER", masterName)) as string[])[9]);
    await cluster.call(sentinel, "SENTINEL", "SET", masterName, "auth-pass", "another one");
    await eventually(async () => assert.match(await flags(), /s_down/), { withinMs: 5000 });
    await topology.restart(replica.name);
    await eventually(
      async () =>
        assert.deepEqual(await cluster.call(replica, "CONFIG", "GET", "replica-priority"), [
          "replica-priority",
          "100",
        ]),
      { withinMs: 10_000 },
    );
    assert.match(await flags(), /s_down/);
    assert.equal((await cluster.master()).name, master.name);
  });
});
