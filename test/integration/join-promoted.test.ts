import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { LocalTopology } from "../../cli/local/local-topology.ts";
import { sameAddress } from "../../runtime/address.ts";
import { parseInfo } from "../../sentinel-image/ask-peer.ts";
import type { ClusterControl } from "../../workshop/chaos/cluster-control.ts";
import { eventually } from "../support/eventually.ts";
import { startObserved } from "../support/observed-topology.ts";
import { temporaryDirectory } from "../support/redis-process.ts";

describe("the replica that was not promoted", function () {
  this.timeout(60_000);
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

  it("joins the new master before the Sentinels order it, and continues where it was", async () => {
    const master = await cluster.master();
    process.kill(await cluster.serverPid(master), "SIGKILL");
    const survivors = cluster.instances.filter(({ name }) => name !== master.name);
    const logOf = (name: string): string => readFileSync(join(directory.path, "logs", `${name}.log`), "utf8");
    const joined = (name: string): boolean => logOf(name).includes("joins the instance that was promoted");
    await eventually(() => assert.ok(survivors.some(({ name }) => joined(name))), { withinMs: 10_000 });
    const [other] = survivors.filter(({ name }) => joined(name));
    const [heir] = survivors.filter(({ name }) => !joined(name));
    assert.ok(heir && other, "one of them alone");

    await eventually(async () => {
      const [role, , replicas] = (await cluster.call(heir, "ROLE")) as [string, number, [string, string][]];
      const addresses = replicas.map(([host, port]) => ({ host, port: Number(port) }));
      assert.equal(role, "master");
      assert.ok(addresses.some((address) => sameAddress(address, other.address)));
    });
    const stats = parseInfo(String(await cluster.call(heir, "INFO", "stats")));
    assert.deepEqual([stats.get("sync_full"), stats.get("sync_partial_ok")], ["0", "1"]);
  });
});
