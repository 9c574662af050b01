import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { LocalTopology } from "../../cli/local/local-topology.ts";
import { localSite } from "../../components/topology/site.ts";
import { describeTopology } from "../../components/topology/topology.ts";
import { ClusterControl, type NamedPart } from "../../workshop/chaos/cluster-control.ts";
import { observer } from "../../workshop/chaos/observer.ts";
import { eventually } from "../support/eventually.ts";
import { freeBasePort } from "../support/free-ports.ts";
import { temporaryDirectory } from "../support/redis-process.ts";

const probe = fileURLToPath(new URL("../../sentinel-image/probe.sh", import.meta.url));

describe("the probe of a Sentinel", function () {
  this.timeout(90_000);
  const directory = temporaryDirectory();
  let basePort: number;
  let local: LocalTopology;
  let cluster: ClusterControl;
  let sentinel: NamedPart;

  before(async () => {
    basePort = await freeBasePort();
    local = await LocalTopology.start({ directory: directory.path, basePort, tester: observer });
    cluster = await ClusterControl.of(local, observer);
    const [first] = cluster.sentinels;
    assert.ok(first);
    sentinel = first;
  });

  afterEach(() => cluster.recover(30_000));

  after(async () => {
    cluster.close();
    await local.stop();
    directory.remove();
  });

  async function run(
    mode: "ready" | "live",
    environment: Readonly<Record<string, string>> = {},
  ): Promise<{ ok: boolean; output: string }> {
    const site = localSite({ basePort, directory: directory.path });
    const workload = describeTopology(local.settings, site).sentinels[0];
    const { exitCode, all } = await execa(probe, mode === "ready" ? ["ready"] : [], {
      env: { PATH: process.env.PATH ?? "", ...workload?.environment, ...environment },
      extendEnv: false,
      reject: false,
      all: true,
    });
    return { ok: exitCode === 0, output: all };
  }

  async function isNotReady(because: RegExp): Promise<void> {
    const { ok, output } = await run("ready");
    assert.equal(ok, false);
    assert.match(output, because);
  }

  it("is ready and alive in a cluster that is well", async () => {
    assert.deepEqual(await run("ready"), { ok: true, output: "" });
    assert.equal((await run("live")).ok, true);
  });

  it("gives the password to redis-cli by a pipe, where no other process can read it", () => {
    const text = readFileSync(probe, "utf8");
    assert.doesNotMatch(text, /REDISCLI_AUTH|\bexport\b|redis-cli[^\n]*(--pass|-a )/);
  });

  it("is neither ready nor alive with a wrong password", async () => {
    const file = join(directory.path, "wrong-password");
    writeFileSync(file, "wrong");
    for (const mode of ["ready", "live"] as const) {
      assert.equal((await run(mode, { SENTINEL_PROBE_PASSWORD_FILE: file })).ok, false, mode);
    }
  });

  it("is ready as the first Sentinel of a new cluster", async () => {
    const others = cluster.sentinels.filter(({ name }) => name !== sentinel.name);
    await Promise.all(others.map((other) => cluster.kill(other)));
    assert.deepEqual(await run("ready"), { ok: true, output: "" });
  });

  it("is not ready while it names another master than the others, and alive all the same", async () => {
    const master = await cluster.master();
    const wrong = cluster.instances.find(({ name }) => name !== master.name);
    const name = local.settings.sentinel.masterName;
    assert.ok(wrong);
    await cluster.call(sentinel, "SENTINEL", "REMOVE", name);
    await cluster.call(sentinel, "SENTINEL", "MONITOR", name, wrong.address.host, wrong.address.port, 2);
    await isNotReady(/doesn't know all|names another master/);
    assert.equal((await run("live")).ok, true);
    await eventually(async () => assert.equal((await run("ready")).ok, true), { withinMs: 20_000 });
  });

  it("is neither when it is gone", async () => {
    await cluster.kill(sentinel);
    assert.equal((await run("live")).ok, false);
    assert.equal((await run("ready")).ok, false);
  });
});
