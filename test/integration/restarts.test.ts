import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { Redis } from "ioredis";
import { LocalTopology } from "../../cli/local/local-topology.ts";
import { localSite } from "../../components/topology/site.ts";
import { describeTopology } from "../../components/topology/topology.ts";
import { eventually } from "../support/eventually.ts";
import { freeBasePort } from "../support/free-ports.ts";

const instances = ["redis-instance-1", "redis-instance-2", "redis-instance-3"];
const sentinels = ["redis-sentinel-1", "redis-sentinel-2", "redis-sentinel-3"];

describe("a restart of all instances at once", function () {
  this.timeout(120_000);
  let directory: string;
  let basePort: number;
  let local: LocalTopology;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), "redis-ha-restarts-"));
    basePort = await freeBasePort();
    local = await LocalTopology.start({ directory, basePort });
  });

  beforeEach(async () => {
    const client = new Redis({ port: basePort, password: local.password });
    try {
      await client.set("kept", "x");
      assert.equal(await client.wait(2, 2000), 2);
    } finally {
      client.disconnect();
    }
  });

  afterEach(async () => {
    for (const name of local.names) if (!local.isRunning(name)) await local.restart(name);
    await eventually(
      async () => {
        const { parts } = await local.status();
        const ill = parts.filter((part) => !part.healthy).map(({ name, state }) => `${name}: ${state}`);
        assert.deepEqual(ill, []);
      },
      { withinMs: 40_000 },
    );
    assert.equal(await getEverywhere("kept"), "x x x");
  });

  after(async () => {
    await local.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  async function getEverywhere(key: string): Promise<string> {
    const values: (string | null)[] = [];
    for (const index of [1, 2, 3]) {
      const client = new Redis({ port: basePort + 100 + index, password: local.password });
      values.push(await client.get(key));
      client.disconnect();
    }
    return values.join(" ");
  }

  async function masterName(): Promise<string> {
    const { master, parts } = await local.status();
    const part = parts.find(({ address, name }) => address === master && name.startsWith("redis-instance"));
    assert.ok(part, `no instance has the master's address '${master}'`);
    return part.name;
  }

  async function replicaName(): Promise<string> {
    const master = await masterName();
    return instances.find((name) => name !== master) ?? "";
  }

  async function kill(names: readonly string[]): Promise<void> {
    for (const name of names) local.signal(name, "SIGKILL");
    await eventually(() =>
      assert.deepEqual(
        names.filter((name) => local.isRunning(name)),
        [],
      ),
    );
  }

  /** Until every Sentinel considers the master down: from then on the instances start into a failover that can't happen. */
  async function allSeeTheMasterDown(): Promise<void> {
    for (const index of [1, 2, 3]) {
      const client = new Redis({
        port: basePort + 200 + index,
        ...local.loginOf("exporter"),
        protocol: 2,
        enableReadyCheck: false,
      });
      try {
        await eventually(
          async () => {
            const fields = (await client.call(
              "SENTINEL",
              "MASTER",
              local.settings.sentinel.masterName,
            )) as string[];
            assert.match(fields[fields.indexOf("flags") + 1] ?? "", /o_down/);
          },
          { withinMs: 10_000 },
        );
      } finally {
        client.disconnect();
      }
    }
  }

  it("is not needed: a supervisor ends with its server, at once, so that a container is started again", async () => {
    const records = JSON.parse(readFileSync(join(directory, "processes.json"), "utf8")) as {
      name: string;
      pid: number;
    }[];
    const pid = records.findLast(({ name }) => name === "redis-instance-3")?.pid;
    const server = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim());
    // Its supervisor waits for their answers nearly all the time now, and must not finish that first.
    for (const name of sentinels) local.signal(name, "SIGSTOP");
    try {
      process.kill(server, "SIGKILL");
      await eventually(() => assert.ok(!local.isRunning("redis-instance-3")), { withinMs: 700 });
    } finally {
      for (const name of sentinels) local.signal(name, "SIGCONT");
    }
  });

  it("scenario L: a server that has outlived its killed entrypoint keeps the volume for itself", async () => {
    const replica = await replicaName();
    const { parts } = await local.status();
    const pid = parts.find(({ name }) => name === replica)?.pid ?? 0;
    const workload = describeTopology(local.settings, localSite({ basePort, directory })).redis.find(
      ({ name }) => name === replica,
    );
    assert.ok(workload);
    process.kill(pid, "SIGKILL");
    await eventually(() => assert.ok(!local.isRunning(replica)));
    const entrypoint = fileURLToPath(new URL("../../sentinel-image/redis.ts", import.meta.url));
    const { exitCode, all } = await execa(process.execPath, [entrypoint], {
      env: { PATH: process.env.PATH ?? "", ...workload.environment },
      reject: false,
      all: true,
    });
    assert.equal(exitCode, 1);
    assert.match(all, /another process uses this volume/);
  });

  it("scenario F: gives the same master again when the Sentinels consider it down already", async () => {
    const master = await masterName();
    await kill(instances);
    await allSeeTheMasterDown();
    for (const name of instances) await local.restart(name);
    await eventually(async () => assert.equal(await masterName(), master), { withinMs: 10_000 });
  });

  it("scenario F: gives a master again with the Sentinels restarted, too, in the opposite order", async () => {
    await kill([...instances, ...sentinels]);
    for (const name of [...sentinels, ...instances].toReversed()) await local.restart(name);
    await eventually(masterName, { withinMs: 15_000 });
  });

  it("scenario F: gives another master when the old one stays away", async () => {
    const master = await masterName();
    await kill(instances);
    await allSeeTheMasterDown();
    for (const name of instances) if (name !== master) await local.restart(name);
    await eventually(async () => assert.notEqual(await masterName(), master), { withinMs: 25_000 });
  });

  it("scenario F: gives another master when the old one lost its volume", async () => {
    const master = await masterName();
    await kill(instances);
    rmSync(join(directory, master.replace("-instance", "")), { recursive: true });
    for (const name of instances) await local.restart(name);
    await eventually(async () => assert.notEqual(await masterName(), master), { withinMs: 25_000 });
  });
});
