import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { LocalTopology } from "../../cli/local/local-topology.ts";
import { sameAddress } from "../../runtime/address.ts";
import { clientLibraries } from "../../workshop/chaos/clients.ts";
import type { ClusterControl, NamedPart } from "../../workshop/chaos/cluster-control.ts";
import { terminate } from "../../workshop/chaos/faults/terminate.ts";
import { LedgerRun } from "../../workshop/chaos/ledger-run.ts";
import { seededRandom } from "../../workshop/chaos/seeded-random.ts";
import { eventually } from "../support/eventually.ts";
import { startObserved } from "../support/observed-topology.ts";
import { temporaryDirectory } from "../support/redis-process.ts";

describe("an instance that is told to stop", function () {
  this.timeout(90_000);
  const directory = temporaryDirectory();
  let topology: LocalTopology;
  let cluster: ClusterControl;

  before(async () => {
    ({ topology, cluster } = await startObserved(directory.path));
  });

  afterEach(() => cluster.recover(30_000));

  after(async () => {
    cluster.close();
    const begin = performance.now();
    await topology.stop();
    const tookMs = performance.now() - begin;
    directory.remove();
    // Nobody is left who could take the role over, and nothing waits for that.
    assert.ok(tookMs < 3000, `the whole topology stopped after ${tookMs} ms`);
  });

  async function pidOf({ name }: NamedPart): Promise<number> {
    const { parts } = await topology.status();
    const pid = parts.find((part) => part.name === name)?.pid;
    assert.ok(pid);
    return pid;
  }

  /** Sends the signal to the entrypoint alone, as a kubelet does, and gives the ms until it has ended. */
  async function stop(part: NamedPart, signals = 1): Promise<number> {
    const pid = await pidOf(part);
    const stops = (): number => logOf(part).split('"msg":"stopping"').length;
    const begin = performance.now();
    for (let sent = 0; sent < signals; sent++) {
      const before = stops();
      process.kill(pid, "SIGTERM");
      if (sent + 1 < signals) await eventually(() => assert.ok(stops() > before), { everyMs: 5 });
    }
    await eventually(() => assert.ok(!topology.isRunning(part.name)), { withinMs: 15_000, everyMs: 10 });
    return performance.now() - begin;
  }

  function logOf({ name }: NamedPart): string {
    return readFileSync(join(directory.path, "logs", `${name}.log`), "utf8");
  }

  it("hands a master's role over under load: no error, nothing lost, no disconnect, at most 1 s without writes", async () => {
    const ioredis = clientLibraries.find(({ name }) => name === "ioredis");
    assert.ok(ioredis);
    const run = await LedgerRun.start({
      topology,
      clients: new Map([["ioredis", await ioredis.prepare(directory.path)]]),
      random: seededRandom(5),
    });
    try {
      const { clients, stalls, violations } = await run.inject(terminate);
      assert.deepEqual(violations, []);
      assert.ok((clients[0]?.acknowledged ?? 0) > 100);
      const { withoutWritesMs = 0 } = stalls;
      assert.ok(withoutWritesMs <= 1000, `${withoutWritesMs} ms without writes`);
    } finally {
      await run.stop();
    }
  });

  it("takes the old master back as a replica, and leaves nobody favoured or paused", async () => {
    const old = await cluster.master();
    await stop(old);
    const successor = await eventually(() => cluster.master());
    assert.ok(!sameAddress(successor.address, old.address));
    await cluster.recover(30_000);
    for (const instance of cluster.instances) {
      // An instance that has just come into sync, or to lead, may be promoted from its supervisor's next round on.
      await eventually(async () => {
        const reply = await cluster.call(instance, "CONFIG", "GET", "replica-priority");
        assert.equal((reply as string[])[1], "100", instance.name);
      });
    }
    assert.equal(await cluster.call(successor, "SET", "after", "1"), "OK");
  });

  it("ends within a second on a replica, and the master stays", async () => {
    const master = await cluster.master();
    const replica = cluster.instances.find(({ name }) => name !== master.name);
    assert.ok(replica);
    const tookMs = await stop(replica);
    assert.ok(tookMs < 1000, `${tookMs} ms`);
    assert.deepEqual(await cluster.master(), master);
  });

  it("ends within three seconds on a master without Sentinels", async () => {
    const master = await cluster.master();
    for (const sentinel of cluster.sentinels) await cluster.kill(sentinel);
    const tookMs = await stop(master);
    assert.ok(tookMs < 3000, `${tookMs} ms`);
    assert.match(logOf(master), /0 of 3 Sentinels answer/);
  });

  it("ends within three seconds on a master without replicas", async () => {
    const master = await cluster.master();
    for (const instance of cluster.instances) if (instance.name !== master.name) await cluster.kill(instance);
    const tookMs = await stop(master);
    assert.ok(tookMs < 3000, `${tookMs} ms`);
  });

  it("doesn't wait for the hand-over at a second signal", async () => {
    const master = await cluster.master();
    const tookMs = await stop(master, 2);
    assert.ok(tookMs < 2000, `${tookMs} ms`);
    assert.doesNotMatch(
      logOf(master).split('"msg":"stopping"').at(-2) ?? "",
      /handed the master's role over/,
    );
  });

  it("gives the hand-over up when the replicas are frozen", async () => {
    const master = await cluster.master();
    const replicas = cluster.instances.filter(({ name }) => name !== master.name);
    const pids = await Promise.all(replicas.map((replica) => cluster.serverPid(replica)));
    const thaw = (): void => {
      for (const pid of pids) process.kill(pid, "SIGCONT");
    };
    for (const pid of pids) process.kill(pid, "SIGSTOP");
    try {
      const ended = stop(master);
      await eventually(() =>
        assert.match(logOf(master).split('"msg":"stopping"').at(-1) ?? "", /no replica/),
      );
      // Redis itself waits for them, up to 10 s.
      thaw();
      await ended;
    } finally {
      thaw();
    }
  });
});
