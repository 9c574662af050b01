import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { privateNetworkObstacle } from "../../cli/local/private-network.ts";
import type { ChaosReport } from "../../workshop/chaos/run-chaos.ts";
import { freeBasePort } from "../support/free-ports.ts";
import { temporaryDirectory } from "../support/redis-process.ts";

const program = fileURLToPath(new URL("../../cli/redis-ha.js", import.meta.url));

describe("redis-ha chaos", function () {
  this.timeout(120_000);
  const directory = temporaryDirectory();
  after(() => directory.remove());

  async function run(name: string, faults: string, seed: number): Promise<ChaosReport> {
    const json = join(directory.path, `${name}.json`);
    const { exitCode, stderr, stdout } = await execa(
      process.execPath,
      [
        ...[program, "chaos", "--fault", faults, "--rounds", String(faults.split(",").length)],
        ...["--seed", String(seed), "--dir", join(directory.path, name), "--json", json],
        // How long things take is not for a test to judge.
        ...["--port", String(await freeBasePort()), "--ignore-times", "--no-remember"],
      ],
      { reject: false },
    );
    assert.equal(exitCode, 0, `${stdout}\n${stderr}`);
    return JSON.parse(readFileSync(json, "utf8")) as ChaosReport;
  }

  /** Without it a fault that hits nobody would pass every check. */
  function assertBusy({ rounds }: ChaosReport): void {
    for (const { fault, clients } of rounds) {
      for (const { client, acknowledged } of clients) {
        assert.ok(acknowledged > 50, `${fault}: ${client} had ${acknowledged} commands acknowledged`);
      }
    }
  }

  it("loses nothing when pods and volumes die, alone and together", async () => {
    const report = await run("restarts", "kill,wiped,everything,first-sync,sentinel-conf", 7);
    assertBusy(report);
    assert.equal(report.rounds.length, 5);
    const wiped = report.rounds.find(({ fault }) => fault === "wiped");
    assert.equal(wiped?.failover, true);
  });

  it("loses nothing when the network is cut, but what a master and a proxy acknowledge on their own", async function () {
    const obstacle = privateNetworkObstacle();
    if (obstacle !== undefined) {
      // This machine gives no process a network of its own.
      this.test?.skip();
    }
    const report = await run("cuts", "isolated-proxy,no-replication,one-way,disk-full", 7);
    assertBusy(report);
    const gap = (name: string): number =>
      report.rounds.find(({ fault }) => fault === name)?.gapMs ?? Number.NaN;
    // A cut that cuts nothing would show no gap.
    assert.ok(gap("no-replication") > 2000, `${gap("no-replication")} ms without a replica`);
    assert.ok(gap("one-way") > 1000, `${gap("one-way")} ms`);
    const isolated = report.rounds.find(({ fault }) => fault === "isolated-proxy");
    assert.ok(isolated?.clients.some(({ lostAsAllowed }) => lostAsAllowed.length > 0));
    assert.equal(isolated?.cutOff.length, 1);
  });
});
