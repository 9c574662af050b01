import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import type { StatusReport } from "../../cli/operate/status-report.ts";
import { clientLibraries } from "../../workshop/chaos/clients.ts";
import { unnoticed } from "../../workshop/chaos/faults/fault.ts";
import { LedgerRun } from "../../workshop/chaos/ledger-run.ts";
import { monotonicMs } from "../../workshop/chaos/monotonic-clock.ts";
import { seededRandom } from "../../workshop/chaos/seeded-random.ts";
import { eventually } from "../support/eventually.ts";
import { useObserved } from "../support/observed-topology.ts";

const program = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));

describe("an operator's orders to one instance", function () {
  this.timeout(240_000);
  const observed = useObserved();

  function redisHa(...args: string[]) {
    return execa(process.execPath, [program, ...args, "--dir", observed.directory], { reject: false });
  }

  async function status(): Promise<StatusReport> {
    return JSON.parse((await redisHa("status", "--json")).stdout) as StatusReport;
  }

  it("fence the master under load: no error, nothing lost, no disconnect; and it comes back as a replica", async () => {
    const ioredis = clientLibraries.find(({ name }) => name === "ioredis");
    assert.ok(ioredis);
    const clients = new Map([["ioredis", await ioredis.prepare(observed.directory)]]);
    const run = await LedgerRun.start({ topology: observed.topology, random: seededRandom(7), clients });
    let master = "";
    try {
      const fault = {
        name: "fence",
        summary: "an instance is fenced",
        failover: true,
        gapMs: 1000,
        allows: unnoticed,
      };
      const { violations } = await run.inject({
        ...fault,
        inject: async (context) => {
          master = context.master.name;
          const atMs = monotonicMs();
          const { exitCode, stderr } = await redisHa(
            "fence",
            master,
            "--why",
            "its disk is replaced",
            "--yes",
          );
          assert.equal(exitCode, 0, stderr);
          const report = await status();
          assert.notEqual(report.master?.name, master);
          const fenced = report.redis.find(({ name }) => name === master);
          assert.match(fenced?.state ?? "", /^fenced: its disk is replaced \(/);
          const doctor = await redisHa("doctor", "--json");
          const { findings } = JSON.parse(doctor.stdout) as {
            findings: { check: string; subject: string }[];
          };
          assert.deepEqual(
            findings.filter(({ subject }) => subject === master).map(({ check }) => check),
            ["redis-fenced"],
          );
          // A restart is no way out.
          await observed.topology.restart(master);
          const second = await redisHa(
            "fence",
            observed.cluster.instances.find(({ name }) => name !== master)?.name ?? "",
            "--yes",
          );
          assert.equal(second.exitCode, 1);
          assert.match(second.stderr, /is fenced: all others have to be in sync\. Nothing was changed\.$/);
          const back = await redisHa("unfence", master, "--json");
          assert.equal(back.exitCode, 0, back.stderr);
          assert.deepEqual(JSON.parse(back.stdout), { instance: master, fenced: false });
          return atMs;
        },
      });
      assert.deepEqual(violations, []);
    } finally {
      await run.stop();
    }
    const one = (await status()).redis.find(({ name }) => name === master);
    assert.equal(one?.role, "replica");
  });

  it("make a master where the newest copy is gone for good, and not where one works", async () => {
    const before = await observed.cluster.master();
    const other = observed.cluster.instances.find(({ name }) => name !== before.name)?.name ?? "";
    const refused = await redisHa("force-master", other, "--yes");
    assert.equal(refused.exitCode, 1);
    assert.match(refused.stderr, /leads and works: redis-ha switchover --to/);
    // All stop, the master loses its volume, and the others are gone for good: it waits for them.
    const parts = observed.topology.parts.filter(({ kind }) => kind === "redis");
    for (const { name } of parts) observed.topology.signal(name, "SIGKILL");
    await eventually(() => assert.ok(parts.every(({ name }) => !observed.topology.isRunning(name))));
    rmSync(observed.topology.stateDirectory(before.name), { recursive: true });
    await observed.topology.restart(before.name);
    const log = () => readFileSync(observed.topology.logOf(before.name), "utf8");
    await eventually(
      () => assert.match(log(), /the volume is empty and only 0 of 2 other instances answer/),
      {
        withinMs: 20_000,
      },
    );
    const { exitCode, stdout, stderr } = await redisHa("force-master", before.name, "--yes", "--json");
    assert.equal(exitCode, 0, `${stderr}${stdout}`);
    assert.match(
      stderr,
      new RegExp(`^${before.name}: nobody knows how new its copy is; it may be empty$`, "m"),
    );
    assert.match(stderr, new RegExp(`^${other}: its copy|^${other}: NEWER, of `, "m"));
    assert.equal((JSON.parse(stdout) as { master: string }).master, before.name);
    for (const { name } of parts) if (name !== before.name) await observed.topology.restart(name);
    await eventually(async () => assert.ok((await status()).healthy), { withinMs: 60_000 });
    assert.equal((await status()).master?.name, before.name);
  });
});
