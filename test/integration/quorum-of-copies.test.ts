import assert from "node:assert/strict";
import { writeThrough } from "../support/endpoint-client.ts";
import { eventually } from "../support/eventually.ts";
import { useObserved } from "../support/observed-topology.ts";

describe("redis:durability quorum", function () {
  this.timeout(120_000);
  const observed = useObserved({ "redis:durability": "quorum" });

  it("comes back by itself when a replica has lost its volume and the master is killed before it has another copy", async () => {
    const port = Number(observed.topology.outputs.proxyPort);
    await writeThrough(port, observed.topology.password, "confirmed", "yes");
    const old = await observed.cluster.master();
    const [wiped, heir] = observed.cluster.instances.filter(({ name }) => name !== old.name);
    assert.ok(wiped && heir);
    await observed.cluster.kill(wiped);
    observed.cluster.wipe(wiped);
    await observed.cluster.kill(old);
    await observed.cluster.start(wiped);
    // It can't lead: the one that is there may lack what the old master has confirmed, and the empty one proves nothing.
    await eventually(
      async () => {
        assert.equal(((await observed.cluster.call(heir, "ROLE")) as unknown[])[0], "master");
      },
      { withinMs: 20_000 },
    );
    await observed.cluster.start(old);
    await observed.cluster.recover(30_000);
    for (const instance of observed.cluster.instances)
      assert.equal(await observed.cluster.call(instance, "GET", "confirmed"), "yes", instance.name);
    await writeThrough(port, observed.topology.password, "after", "yes");
  });
});
