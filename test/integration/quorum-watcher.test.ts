import assert from "node:assert/strict";
import type { MasterState } from "../../quorum/master-state.ts";
import { MasterWatcher } from "../../quorum/master-watcher.ts";
import { eventually } from "../support/eventually.ts";
import { FakeRedis } from "../support/fake-redis.ts";
import { FakeSentinel } from "../support/fake-sentinel.ts";

describe("a MasterWatcher among three Sentinels", function () {
  this.timeout(20_000);
  let masters: [FakeRedis, FakeRedis];
  let sentinels: [FakeSentinel, FakeSentinel, FakeSentinel];
  let watcher: MasterWatcher;
  /** Ports of the masters that were followed; `suspect` and `lost` between them. */
  let changes: (number | "suspect" | "lost")[];
  let password: string | undefined;

  beforeEach(async () => {
    password = undefined;
    masters = [await new FakeRedis().start(), await new FakeRedis().start()];
    masters[1].replicate(masters[0]);
    const make = () => new FakeSentinel(masters[0].address).start();
    sentinels = [await make(), await make(), await make()];
    changes = [];
  });
  afterEach(async () => {
    await watcher.stop();
    for (const server of [...masters, ...sentinels]) await server.stop();
  });

  function watch(followingEveryMs = 50, neededReplicas = 0): void {
    watcher = new MasterWatcher({
      sentinels: sentinels.map(({ address }) => address),
      masterName: "mymaster",
      password: () => password,
      followingEveryMs,
      neededReplicas,
      searchingEveryMs: 20,
    });
    watcher.on("change", (state) => changes.push(describeState(state)));
    watcher.start();
  }
  function describeState(state: MasterState): number | "suspect" | "lost" {
    if (state.kind === "following") return state.master.port;
    return state.suspect === undefined ? "lost" : "suspect";
  }
  const follows = (server: FakeRedis, withinMs = 2000) =>
    eventually(() => assert.equal(describeState(watcher.state), server.port), { withinMs, everyMs: 5 });
  function failover(...knowing: FakeSentinel[]): void {
    masters[1].role = "master";
    for (const sentinel of knowing) sentinel.names(masters[1].address, 2);
  }
  /** Waits until every Sentinel that answers was asked some more times. */
  async function rounds(count: number): Promise<void> {
    const [sentinel] = sentinels;
    const asked = () => sentinel.received.filter((command) => /^sentinel master/i.test(command)).length;
    const target = asked() + count;
    await eventually(() => assert.ok(asked() >= target));
  }

  it("finds the master at once", async () => {
    const begin = performance.now();
    watch();
    await follows(masters[0]);
    assert.ok(performance.now() - begin < 500);
    assert.deepEqual(changes, [masters[0].port]);
  });

  it("follows no master that lacks the replicas that it needs, and leaves one that loses them", async () => {
    masters[0].goodReplicas = 1;
    watch(50, 2);
    await rounds(5);
    assert.deepEqual(changes, []);
    assert.match(
      watcher.state.kind === "searching" ? watcher.state.reason : "",
      /it has 1 of the 2 replicas/,
    );
    masters[0].goodReplicas = 2;
    await follows(masters[0]);
    masters[0].goodReplicas = 1;
    await eventually(() => assert.equal(describeState(watcher.state), "suspect"));
  });

  it("follows a failover within 200 ms of its announcement by two Sentinels, without polling", async () => {
    watch(60_000);
    await follows(masters[0]);
    await eventually(() =>
      assert.deepEqual(
        sentinels.map(({ subscribers }) => subscribers),
        [1, 1, 1],
      ),
    );
    failover(sentinels[0], sentinels[1]);
    const begin = performance.now();
    sentinels[1].publish("+switch-master", "mymaster");
    await follows(masters[1]);
    assert.ok(performance.now() - begin < 200, `${performance.now() - begin} ms`);
  });

  it("never follows a Redis that one Sentinel alone names", async () => {
    // It was never a replica of the one that is followed.
    masters[1].history = { current: "bbbb", former: "cccc" };
    watch();
    await follows(masters[0]);
    failover(sentinels[2]);
    await rounds(5);
    assert.ok(!changes.includes(masters[1].port));
  });

  it("follows the failover's leader alone when the new master was a replica of the old one", async () => {
    watch();
    await follows(masters[0]);
    await rounds(2);
    failover(sentinels[2]);
    await follows(masters[1]);
    await rounds(5);
    assert.deepEqual(changes, [masters[0].port, masters[1].port]);
  });

  it("doesn't take the leader's word for a Redis that is a replica still", async () => {
    watch();
    await follows(masters[0]);
    failover(sentinels[2]);
    masters[1].role = "slave";
    await rounds(5);
    assert.ok(!changes.includes(masters[1].port));
  });

  it("waits until the agreed one says that it is a master", async () => {
    watch();
    await follows(masters[0]);
    for (const sentinel of sentinels) sentinel.names(masters[1].address, 2);
    await eventually(() => assert.equal(describeState(watcher.state), "lost"));
    masters[1].role = "master";
    await follows(masters[1]);
    assert.deepEqual(changes, [masters[0].port, "lost", masters[1].port]);
  });

  it("isn't blocked for ever by a liar with a huge epoch: neither at the start nor in a failover", async () => {
    sentinels[2].names({ host: "127.0.0.1", port: 1 }, 1_000_000);
    watch();
    await follows(masters[0], 7000);
    failover(sentinels[0], sentinels[1]);
    await follows(masters[1], 1000);
  });

  it("isn't delayed by a frozen Sentinel", async () => {
    watch(60_000);
    await follows(masters[0]);
    await eventually(() => assert.equal(sentinels[0].subscribers, 1));
    sentinels[2].freeze();
    failover(sentinels[0], sentinels[1]);
    const begin = performance.now();
    sentinels[0].publish("+switch-master", "mymaster");
    await follows(masters[1]);
    assert.ok(performance.now() - begin < 200, `${performance.now() - begin} ms`);
    assert.equal(watcher.reachableSentinels, 2);
  });

  for (const [name, harm] of [
    ["gone", (sentinel: FakeSentinel) => sentinel.stop()],
    ["frozen", (sentinel: FakeSentinel) => sentinel.freeze()],
    [
      "talking nonsense",
      (sentinel: FakeSentinel) => {
        sentinel.garbage = "HTTP/1.1 400 Bad Request\r\n\r\n";
      },
    ],
    [
      "slow",
      (sentinel: FakeSentinel) => {
        sentinel.delayMs = 250;
      },
    ],
  ] as const) {
    it(`keeps the master while all Sentinels are ${name}, and follows again when they are back`, async () => {
      watch();
      await follows(masters[0]);
      for (const sentinel of sentinels) await harm(sentinel);
      const asked = masters[0].log.length;
      await eventually(() => assert.ok(masters[0].log.length > asked + 2));
      assert.deepEqual(changes, [masters[0].port]);
      for (const sentinel of sentinels) {
        sentinel.garbage = undefined;
        sentinel.delayMs = 0;
        sentinel.thaw();
        if (name === "gone") await sentinel.start();
      }
      failover(...sentinels);
      await follows(masters[1], 5000);
    });
  }

  it("survives one lost answer of the master: it is suspected, never lost", async () => {
    watch();
    await follows(masters[0]);
    masters[0].freeze();
    await eventually(() => assert.deepEqual(changes, [masters[0].port, "suspect"]));
    masters[0].thaw();
    await follows(masters[0]);
    assert.deepEqual(changes, [masters[0].port, "suspect", masters[0].port]);
  });

  /** All Sentinels see the master that they name down. */
  function seenDown(): void {
    for (const sentinel of sentinels) sentinel.flags = "s_down,master";
  }

  it("never gives up a frozen master that the Sentinels see up", async () => {
    watch();
    await follows(masters[0]);
    masters[0].freeze();
    const asked = sentinels[0].received.length;
    // Each round waits for the master's answer for 300 ms.
    await eventually(() => assert.ok(sentinels[0].received.length > asked + 12), { withinMs: 6000 });
    assert.deepEqual(changes, [masters[0].port, "suspect"]);
    masters[0].thaw();
    await follows(masters[0]);
  });

  it("gives up a master that is frozen for more than a second and that the Sentinels see down", async () => {
    watch();
    await follows(masters[0]);
    seenDown();
    masters[0].freeze();
    const begin = performance.now();
    await eventually(() => assert.deepEqual(changes, [masters[0].port, "suspect", "lost"]));
    const ms = performance.now() - begin;
    assert.ok(ms > 1000 && ms < 2500, `${ms} ms`);
  });

  for (const state of ["suspect", "lost"] as const) {
    it(`doesn't wait for the answer of a frozen master when another one is promoted: it is ${state}`, async () => {
      watch();
      await follows(masters[0]);
      if (state === "lost") seenDown();
      const silent = Promise.withResolvers<void>();
      masters[0].always(/^ROLE/, () => silent.promise);
      await eventually(() => assert.equal(describeState(watcher.state), state));
      const questions = (): number => masters[0].log.filter(({ text }) => /^ROLE/i.test(text)).length;
      const asked = questions();
      await eventually(() => assert.ok(questions() > asked), { everyMs: 2 });
      failover(...sentinels);
      const begin = performance.now();
      const [old, promoted] = masters.map(({ address }) => `${address.host} ${address.port}`);
      sentinels[0].publish("+promoted-slave", `slave x ${promoted} @ mymaster ${old}`);
      await follows(masters[1]);
      const ms = performance.now() - begin;
      silent.resolve();
      // The question alone has 300 ms.
      assert.ok(ms < 200, `${ms} ms`);
    });
  }

  it("takes the leader's word while another Sentinel is frozen", async () => {
    watch(60_000);
    await follows(masters[0]);
    await eventually(() => assert.equal(sentinels[2].subscribers, 1));
    sentinels[1].freeze();
    failover(sentinels[2]);
    const begin = performance.now();
    sentinels[2].publish("+promoted-slave", "mymaster");
    await follows(masters[1]);
    assert.ok(performance.now() - begin < 200, `${performance.now() - begin} ms`);
  });

  it("loses a master that becomes a replica at once", async () => {
    watch();
    await follows(masters[0]);
    masters[0].role = "slave";
    await eventually(() => assert.deepEqual(changes, [masters[0].port, "lost"]));
  });

  it("takes a changed password without a restart", async () => {
    for (const server of [...masters, ...sentinels]) server.password = "old";
    password = "old";
    watch();
    await follows(masters[0]);
    for (const server of [...masters, ...sentinels]) server.password = "new";
    for (const server of [...masters, ...sentinels]) server.disconnectAll();
    await eventually(() => assert.equal(watcher.reachableSentinels, 0));
    password = "new";
    await eventually(() => assert.equal(watcher.reachableSentinels, 3));
    await follows(masters[0]);
  });
});
