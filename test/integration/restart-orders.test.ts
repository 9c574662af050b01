import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { LocalTopology } from "../../cli/local/local-topology.ts";
import type { ClusterControl } from "../../workshop/chaos/cluster-control.ts";
import { seededRandom, shuffle } from "../../workshop/chaos/seeded-random.ts";
import { eventually } from "../support/eventually.ts";
import { startObserved } from "../support/observed-topology.ts";
import { temporaryDirectory } from "../support/redis-process.ts";

// The long run: RESTART_ROUNDS=20 RESTART_SEED=1 mocha test/integration/restart-orders.test.ts
const rounds = Number(process.env.RESTART_ROUNDS ?? 1);
const seed = Number(process.env.RESTART_SEED ?? 1);

describe(`all instances and Sentinels killed and started in a random order (seed ${seed})`, function () {
  this.timeout(60_000 + rounds * 40_000);
  const directory = temporaryDirectory();
  const random = seededRandom(seed);
  const tookMs: number[] = [];
  let local: LocalTopology;
  let cluster: ClusterControl;

  before(async () => {
    ({ topology: local, cluster } = await startObserved(directory.path));
  });

  after(async () => {
    cluster.close();
    await local.stop();
    directory.remove();
    if (process.env.RESTART_ROUNDS !== undefined) {
      const sorted = tookMs.map(Math.round).toSorted((a, b) => a - b);
      process.stdout.write(`      ms from the first start to a master: ${sorted.join(" ")}\n`);
    }
  });

  for (let i = 1; i <= rounds; i++) {
    it(`scenario F: has a master within 20 s, with the newest data (round ${i})`, async () => {
      const master = await cluster.master();
      await cluster.call(master, "SET", "round", i);
      assert.ok(Number(await cluster.call(master, "WAIT", 1, 900)) >= 1);
      const parts = [...cluster.instances, ...cluster.sentinels];
      await Promise.all(parts.map((part) => cluster.kill(part)));
      const begin = performance.now();
      for (const part of shuffle(parts, random)) {
        await cluster.start(part);
        await delay(random() * 600);
      }
      const successor = await eventually(() => cluster.master(), { withinMs: 20_000 });
      tookMs.push(performance.now() - begin);
      assert.ok((tookMs.at(-1) ?? 0) <= 20_000, `${tookMs.at(-1)} ms`);
      assert.equal(await cluster.call(successor, "GET", "round"), String(i));
      await cluster.recover(30_000);
      for (const instance of cluster.instances) {
        assert.equal(await cluster.call(instance, "GET", "round"), String(i), instance.name);
      }
    });
  }
});
