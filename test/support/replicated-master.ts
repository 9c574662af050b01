import assert from "node:assert/strict";
import { eventually } from "./eventually.ts";
import { FakeSentinel } from "./fake-sentinel.ts";
import { masterName } from "./fake-topology.ts";
import { freePort, RedisProcess } from "./redis-process.ts";

/** A genuine master with two replicas, and fake Sentinels that name it. */
export class ReplicatedMaster {
  readonly master: RedisProcess;
  readonly replicas: readonly [RedisProcess, RedisProcess];
  readonly sentinels: readonly [FakeSentinel, FakeSentinel, FakeSentinel];
  readonly #frozen = new Set<RedisProcess>();

  private constructor(
    master: RedisProcess,
    replicas: readonly [RedisProcess, RedisProcess],
    sentinels: readonly [FakeSentinel, FakeSentinel, FakeSentinel],
  ) {
    this.master = master;
    this.replicas = replicas;
    this.sentinels = sentinels;
  }

  /** Starts them and waits until both replicas are in sync. */
  static async start(): Promise<ReplicatedMaster> {
    const startRedis = async (...lines: string[]): Promise<RedisProcess> => {
      const port = await freePort();
      const own = [`port ${port}`, "bind 127.0.0.1", 'save ""', "repl-diskless-sync-delay 0"];
      return RedisProcess.startWithFile(port, [...own, ...lines]);
    };
    const master = await startRedis();
    const follow = `replicaof 127.0.0.1 ${master.port}`;
    const replicas = [await startRedis(follow), await startRedis(follow)] as const;
    const makeSentinel = () => new FakeSentinel({ host: "127.0.0.1", port: master.port }).start();
    const sentinels = [await makeSentinel(), await makeSentinel(), await makeSentinel()] as const;
    const all = new ReplicatedMaster(master, replicas, sentinels);
    try {
      await all.inSync(2);
      return all;
    } catch (error) {
      await all.stop();
      throw error;
    }
  }

  /** Waits until so many replicas of the master confirm a write. */
  async inSync(count: number, of = this.master): Promise<void> {
    await eventually(
      async () => {
        await of.client.publish("wait", "");
        assert.equal(await of.client.wait(count, 500), count, "replicas that confirm");
      },
      { withinMs: 20_000 },
    );
  }

  /** Waits until the replicas have acknowledged everything without being asked, which they do once a second. */
  async acknowledged(): Promise<void> {
    await eventually(async () => {
      const text = await this.master.client.info("replication");
      const offsets = [...text.matchAll(/(?:,offset=|master_repl_offset:)(\d+)/g)].map(
        ([, offset]) => offset,
      );
      assert.equal(new Set(offsets).size, 1, `offsets ${offsets.join()}`);
    });
  }

  /** Stops replicas: their connections stay open, and they confirm nothing. */
  freeze(...replicas: readonly RedisProcess[]): void {
    for (const replica of replicas) {
      replica.signal("SIGSTOP");
      this.#frozen.add(replica);
    }
  }

  /** Lets all frozen replicas go on. */
  thaw(): void {
    for (const replica of this.#frozen) replica.signal("SIGCONT");
    this.#frozen.clear();
  }

  /** The first replica takes over, the other one follows it, and the Sentinels say so. */
  async promoteFirst(): Promise<RedisProcess> {
    const [first, second] = this.replicas;
    await first.client.replicaof("NO", "ONE");
    await second.client.replicaof("127.0.0.1", String(first.port));
    await this.inSync(1, first);
    for (const sentinel of this.sentinels) {
      sentinel.switchTo({ host: "127.0.0.1", port: first.port }, 2, masterName);
    }
    return first;
  }

  /** How often the master has executed `WAIT` since `CONFIG RESETSTAT`. */
  async waits(): Promise<number> {
    const calls = /cmdstat_wait:calls=(\d+)/.exec(await this.master.client.info("commandstats"));
    return Number(calls?.[1] ?? 0);
  }

  async stop(): Promise<void> {
    this.thaw();
    const servers = [this.master, ...this.replicas].map((redis) => redis.kill());
    await Promise.all([...servers, ...this.sentinels.map((sentinel) => sentinel.stop())]);
  }
}
