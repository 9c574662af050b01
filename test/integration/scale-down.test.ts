import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { prepareDirectory } from "../../cli/local/local-directory.ts";
import { LocalTopology } from "../../cli/local/local-topology.ts";
import { orderLocally } from "../../cli/operate/order-locally.ts";
import { localSite } from "../../components/topology/site.ts";
import type { HandOverAnswer, LeavingOrder } from "../../runtime/hand-over-order.ts";
import { eventually } from "../support/eventually.ts";
import { freeBasePort } from "../support/free-ports.ts";
import { measureGap } from "../support/measure-gap.ts";

const kept = [1, 2, 3] as const;
const removed = [4, 5] as const;

/** What one Sentinel says of the master. */
interface Opinion {
  readonly flags: string;
  readonly replicas: number;
  readonly otherSentinels: number;
  readonly configEpoch: number;
  readonly quorum: string;
}

describe("a scale-down of instances and Sentinels from 5 to 3, in the order of a stack's update", function () {
  this.timeout(120_000);
  let directory: string;
  let basePort: number;
  let large: LocalTopology;
  let small: LocalTopology;
  let client: Redis;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), "redis-ha-scale-"));
    basePort = await freeBasePort();
    const configuration = { "redis:instances": "5", "sentinel:count": "5" };
    large = await LocalTopology.start({ directory, basePort, configuration });
    // From here on whoever is restarted is started with the new counts, on its old volume.
    prepareDirectory(directory, { basePort, configuration: {} }, false);
    const opened = LocalTopology.open(directory);
    assert.ok(opened);
    small = opened;
    client = new Redis({ port: basePort, password: small.password });
    client.on("error", () => undefined);
  });

  after(async () => {
    client?.disconnect();
    await small?.stop();
    await large?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  async function askSentinel(index: number): Promise<Opinion> {
    const sentinel = new Redis({
      port: basePort + 200 + index,
      ...small.loginOf("exporter"),
      protocol: 2,
      enableReadyCheck: false,
      retryStrategy: null,
    });
    sentinel.on("error", () => undefined);
    try {
      const name = small.settings.sentinel.masterName;
      const fields = (await sentinel.call("SENTINEL", "MASTER", name)) as string[];
      const field = (key: string): string => fields[fields.indexOf(key) + 1] ?? "";
      return {
        flags: field("flags"),
        replicas: Number(field("num-slaves")),
        otherSentinels: Number(field("num-other-sentinels")),
        configEpoch: Number(field("config-epoch")),
        quorum: String(await sentinel.call("SENTINEL", "CKQUORUM", name)),
      };
    } finally {
      sentinel.disconnect();
    }
  }

  async function master(): Promise<number> {
    return Number((await small.status()).master?.split(":")[1]) - basePort - 100;
  }

  /** As the probe of a Sentinel's pod and `/readyz` of an instance's have a stack's update wait. */
  async function ready(): Promise<void> {
    const site = localSite({ basePort, directory });
    for (const index of kept) {
      const { status } = await fetch(`http://127.0.0.1:${site.adminPort({ kind: "redis", index })}/readyz`);
      assert.equal(status, 200, `instance ${index} is not ready`);
      const { flags, replicas, otherSentinels } = await askSentinel(index);
      assert.deepEqual([flags, replicas >= 2, otherSentinels >= 2], ["master", true, true]);
    }
  }

  it("takes the role from an instance that goes before anything is rolled, and gives it to none of them again", async () => {
    const order = (index: number, heir: string, leaving?: LeavingOrder): Promise<HandOverAnswer> => {
      const name = `redis-instance-${index}`;
      const body = { id: randomUUID(), heir, ...(leaving === undefined ? {} : { leaving }) };
      return orderLocally(name, large.stateDirectory(name), body);
    };
    const address = (index: number): string => `127.0.0.1:${basePort + 100 + index}`;
    await eventually(
      async () => assert.equal((await order(await master(), address(5))).successor, address(5)),
      { withinMs: 20_000 },
    );
    const leaving = { staying: kept.map(address), forMs: 120_000 };
    await eventually(
      async () => {
        // All of them, before anybody is asked: one that follows another one that goes says so.
        const answers = await Promise.all(removed.map((index) => order(index, address(1), leaving)));
        for (const { leads = "" } of answers) assert.ok(leaving.staying.includes(leads), `${leads} leads`);
      },
      { withinMs: 20_000 },
    );
    const priority = async (index: number): Promise<string> => {
      const login = { port: basePort + 100 + index, ...small.loginOf("supervisor") };
      const redis = new Redis({ ...login, disableClientInfo: true });
      try {
        return /^slave_priority:(\d+)/m.exec(await redis.info("replication"))?.[1] ?? "";
      } finally {
        redis.disconnect();
      }
    };
    // Two looks of the supervisor later, too, which raises it for every other replica that is in sync.
    await delay(1500);
    for (const index of removed) {
      assert.equal(await priority(index), "0");
      const { adminUrl } = large.parts.find(({ name }) => name === `redis-instance-${index}`) ?? {};
      assert.equal((await fetch(`${adminUrl}/readyz`)).status, 200, "it holds up no drain and no rollout");
    }
  });

  it("keeps the Sentinels in the roll, and the ghosts are gone within 5 s after it, without a failover", async () => {
    let rolled = false;
    const load = measureGap(
      async () => void (await client.incr("n")),
      90_000,
      () => rolled,
    );
    for (const index of kept) {
      await small.restart(`redis-sentinel-${index}`);
      await eventually(ready, { withinMs: 10_000 });
    }
    for (const index of kept.toReversed()) {
      await small.restart(`redis-instance-${index}`);
      await eventually(ready, { withinMs: 15_000 });
    }
    // They still live and announce themselves: the Sentinels know them, and nobody may act on that yet.
    for (const index of kept) assert.equal((await askSentinel(index)).otherSentinels, 4);
    const epoch = (await askSentinel(1)).configEpoch;
    const before = await master();
    assert.ok(before <= 3, `instance ${before} is the master`);
    for (const index of removed) {
      large.signal(`redis-sentinel-${index}`, "SIGTERM");
      large.signal(`redis-instance-${index}`, "SIGTERM");
    }
    const begin = performance.now();
    await eventually(
      async () => {
        for (const index of kept) {
          assert.deepEqual(await askSentinel(index), {
            flags: "master",
            replicas: 2,
            otherSentinels: 2,
            configEpoch: epoch,
            quorum: "OK 3 usable Sentinels. Quorum and failover authorization can be reached",
          });
        }
      },
      { withinMs: 5000 },
    );
    process.stdout.write(`      ghosts gone after ${Math.round(performance.now() - begin)} ms\n`);
    assert.equal(await master(), before);
    rolled = true;
    const { writes, longestGapMs } = await load;
    assert.ok(writes > 100 && longestGapMs < 2500, `${writes} writes, ${longestGapMs} ms without one`);
  });

  it("replaces a frozen master in the usual time afterwards", async () => {
    const frozen = await master();
    small.signal(`redis-instance-${frozen}`, "SIGSTOP");
    try {
      const { longestGapMs } = await measureGap(async () => void (await client.incr("n")), 5000);
      process.stdout.write(`      ${Math.round(longestGapMs)} ms without a write\n`);
      assert.ok(longestGapMs > 500 && longestGapMs <= 2500, `${longestGapMs} ms without a write`);
      assert.notEqual(await master(), frozen);
    } finally {
      small.signal(`redis-instance-${frozen}`, "SIGCONT");
    }
    await eventually(ready, { withinMs: 15_000 });
  });
});
