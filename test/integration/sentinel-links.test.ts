import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LocalTopology } from "../../cli/local/local-topology.ts";
import { ControlConnection } from "../../quorum/control-connection.ts";
import {
  askCpuSeconds,
  clientsNamed,
  dropSentinelLinks,
} from "../../sentinel-image/supervise/spinning-sentinels.ts";
import { eventually } from "../support/eventually.ts";
import { freeBasePort } from "../support/free-ports.ts";

describe("the links of a Sentinel", function () {
  this.timeout(90_000);
  let directory: string;
  let local: LocalTopology;
  let connect: (port: number) => ControlConnection;
  const opened: ControlConnection[] = [];

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), "redis-ha-links-"));
    const basePort = await freeBasePort();
    local = await LocalTopology.start({ directory, basePort });
    connect = (offset) => {
      const connection = new ControlConnection({
        address: { host: "127.0.0.1", port: basePort + offset },
        username: "supervisor",
        password: () => local.passwordOf("supervisor"),
      });
      opened.push(connection);
      return connection;
    };
  });

  after(async () => {
    for (const connection of opened) connection.close();
    await local.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  it("are all ended and opened again, without a doubt about the master", async () => {
    const sentinel = connect(201);
    const servers = [connect(101), connect(202), sentinel];
    const prefix = `sentinel-${String(await sentinel.call("SENTINEL", "MYID")).slice(0, 8)}-`;
    const links = async (): Promise<string[][]> =>
      Promise.all(
        servers.map(async (server) => clientsNamed(String(await server.call("CLIENT", "LIST")), prefix)),
      );
    const before = await links();
    assert.deepEqual(
      before.map((ids) => ids.length),
      [2, 1, 0],
      "two with a Redis, one with a Sentinel, none with itself",
    );

    assert.equal(await dropSentinelLinks(sentinel, servers), 3);
    await eventually(async () => {
      const after = await links();
      assert.deepEqual(
        after.map((ids) => ids.length),
        [2, 1, 0],
      );
      for (const [i, ids] of after.entries()) {
        assert.ok(!ids.some((id) => before[i]?.includes(id)), "they are new ones");
      }
    });
    assert.ok((await local.status()).healthy);
    assert.ok((await askCpuSeconds(sentinel)) > 0);
  });
});
