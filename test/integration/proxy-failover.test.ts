import assert from "node:assert/strict";
import { connect } from "node:net";
import { LocalTopology } from "../../cli/local/local-topology.ts";
import { ControlConnection } from "../../quorum/control-connection.ts";
import { clientLibraries } from "../../workshop/chaos/clients.ts";
import { ClusterControl } from "../../workshop/chaos/cluster-control.ts";
import { allFaults } from "../../workshop/chaos/faults/all-faults.ts";
import type { Execution } from "../../workshop/chaos/find-stale-writes.ts";
import { LedgerRun } from "../../workshop/chaos/ledger-run.ts";
import { observer } from "../../workshop/chaos/observer.ts";
import type { RoundReport } from "../../workshop/chaos/round-report.ts";
import { seededRandom } from "../../workshop/chaos/seeded-random.ts";
import { WriteMonitor } from "../../workshop/chaos/write-monitor.ts";
import { eventually } from "../support/eventually.ts";
import { freeBasePort } from "../support/free-ports.ts";
import { temporaryDirectory } from "../support/redis-process.ts";

describe("clients of the proxy at a failover", function () {
  this.timeout(90_000);
  const directory = temporaryDirectory();
  let topology: LocalTopology;
  let run: LedgerRun | undefined;

  before(async () => {
    topology = await LocalTopology.start({
      directory: directory.path,
      basePort: await freeBasePort(),
      tester: observer,
      configuration: {
        "sentinel:downAfterMs": "1000",
        "sentinel:failoverTimeoutMs": "3000",
      },
    });
    const ioredis = clientLibraries.find(({ name }) => name === "ioredis");
    assert.ok(ioredis);
    run = await LedgerRun.start({
      topology,
      clients: new Map([["ioredis", await ioredis.prepare(directory.path)]]),
      random: seededRandom(4),
    });
  });

  after(async () => {
    await run?.stop();
    await topology.stop();
    directory.remove();
  });

  async function inject(name: string): Promise<RoundReport> {
    const fault = allFaults.find((candidate) => candidate.name === name);
    assert.ok(fault && run);
    const round = await run.inject(fault);
    const [client] = round.clients;
    // Books without entries would agree with anything.
    assert.ok(client && client.acknowledged > 100, `${client?.acknowledged} commands were acknowledged`);
    return round;
  }

  const faults = {
    kill: "lose nothing and keep their connections when the master is killed",
    freeze: "are not misled by a master that was frozen and wakes up",
    planned: "notice nothing of a planned failover",
    return: "are not led back to a killed master that returns during the failover",
    "one-sentinel": "are served by the new master although a Sentinel is dead, too",
    drain: "lose nothing when the proxy is drained under load",
  };
  for (const [name, title] of Object.entries(faults)) {
    it(`${title} (${name})`, async () => assert.deepEqual((await inject(name)).violations, []));
  }

  it("would be caught writing to a frozen master that wakes up", async () => {
    // The harness's own eye: without this test it could be blind, and no stale write would ever be found.
    const cluster = await ClusterControl.of(topology, observer);
    const master = await cluster.master();
    const pid = await cluster.serverPid(master);
    const seen: Execution[] = [];
    const monitor = new WriteMonitor({
      instances: cluster.instances.map(({ address }) => address),
      ...topology.loginOf(observer),
      onExecution: (execution) => seen.push(execution),
    });
    const client = connect(master.address.port, master.address.host);
    try {
      client.write(`AUTH ${topology.password}\r\nSET ledger:before:direct:string:1 1\r\n`);
      await eventually(() => assert.ok(seen.some(({ round }) => round === "before")));
      process.kill(pid, "SIGSTOP");
      try {
        client.write("SET ledger:frozen:direct:string:2 2\r\n");
        await eventually(() => assert.equal(client.writableLength, 0));
      } finally {
        process.kill(pid, "SIGCONT");
      }
      const write = await eventually(() => {
        const found = seen.find(({ round }) => round === "frozen");
        assert.ok(found);
        return found;
      });
      assert.deepEqual(write.instance, master.address);
      // Its replicas get the write from it and must not be taken for masters.
      const replicas = cluster.instances.filter(({ name }) => name !== master.name);
      await eventually(async () => {
        for (const replica of replicas) {
          const reader = new ControlConnection({
            address: replica.address,
            password: () => topology.password,
          });
          const found = await reader
            .call("EXISTS", "ledger:frozen:direct:string:2")
            .finally(() => reader.close());
          assert.equal(found, 1, replica.name);
        }
      });
      assert.equal(seen.filter(({ client: name }) => name === "direct").length, 2);
    } finally {
      client.destroy();
      monitor.stop();
      cluster.close();
    }
  });
});
