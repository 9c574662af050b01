import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { sameAddress } from "../../runtime/address.ts";
import { parseInfo } from "../../sentinel-image/start/ask-peer.ts";
import { eventually } from "../support/eventually.ts";
import { useObserved } from "../support/observed-topology.ts";

describe("the replica that was not promoted", function () {
  this.timeout(90_000);
  const observed = useObserved();

  it("joins the new master before the Sentinels order it, and continues where it was", async () => {
    const master = await observed.cluster.master();
    process.kill(await observed.cluster.serverPid(master), "SIGKILL");
    const survivors = observed.cluster.instances.filter(({ name }) => name !== master.name);
    const logOf = (name: string): string =>
      readFileSync(join(observed.directory, "logs", `${name}.log`), "utf8");
    const joined = (name: string): boolean => logOf(name).includes("joins the instance that was promoted");
    await eventually(() => assert.ok(survivors.some(({ name }) => joined(name))), { withinMs: 10_000 });
    const [other] = survivors.filter(({ name }) => joined(name));
    const [heir] = survivors.filter(({ name }) => !joined(name));
    assert.ok(heir && other, "one of them alone");

    await eventually(async () => {
      const [role, , replicas] = (await observed.cluster.call(heir, "ROLE")) as [
        string,
        number,
        [string, string][],
      ];
      const addresses = replicas.map(([host, port]) => ({ host, port: Number(port) }));
      assert.equal(role, "master");
      assert.ok(addresses.some((address) => sameAddress(address, other.address)));
    });
    const stats = parseInfo(String(await observed.cluster.call(heir, "INFO", "stats")));
    assert.deepEqual([stats.get("sync_full"), stats.get("sync_partial_ok")], ["0", "1"]);
  });
});
