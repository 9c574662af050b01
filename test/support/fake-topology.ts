import { readCommandTable } from "./command-table.ts";
import { FakeRedis } from "./fake-redis.ts";
import { FakeSentinel } from "./fake-sentinel.ts";

/** The name under which the fake Sentinels know their master. */
export const masterName = "mymaster";

/** A command with which tests open a client's connections; a fake Redis doesn't count it. */
export const warmUp = "EXISTS warm-up";

/** Two fake Redis, the first one master, and three fake Sentinels that name it. A test decides what happens to whom. */
export class FakeTopology {
  readonly redis: readonly [FakeRedis, FakeRedis];
  readonly sentinels: readonly [FakeSentinel, FakeSentinel, FakeSentinel];
  #configEpoch = 1;

  private constructor(
    redis: readonly [FakeRedis, FakeRedis],
    sentinels: readonly [FakeSentinel, FakeSentinel, FakeSentinel],
  ) {
    this.redis = redis;
    this.sentinels = sentinels;
  }

  static async start(): Promise<FakeTopology> {
    const table = await readCommandTable();
    const makeRedis = () => new FakeRedis(table).start();
    const redis = [await makeRedis(), await makeRedis()] as const;
    redis[1].replicate(redis[0]);
    const makeSentinel = () => new FakeSentinel(redis[0].address).start();
    const sentinels = [await makeSentinel(), await makeSentinel(), await makeSentinel()] as const;
    return new FakeTopology(redis, sentinels);
  }

  /** The first Redis: master at the start. */
  get first(): FakeRedis {
    return this.redis[0];
  }

  /** The second Redis: a replica at the start. */
  get second(): FakeRedis {
    return this.redis[1];
  }

  /** From now on every Redis wants a password, and every Sentinel the default user's. */
  requirePasswords(users: ReadonlyMap<string, string>): void {
    for (const redis of this.redis) redis.users = users;
    for (const sentinel of this.sentinels) sentinel.password = users.get("default");
  }

  /** The Sentinels have decided: the second one is promoted and all say so. The first one goes on as it was. */
  promoteSecond(): void {
    this.second.role = "master";
    this.announce(this.second);
  }

  /** All Sentinels name this one, at the next epoch, and tell their subscribers. */
  announce(master: FakeRedis, configEpoch = ++this.#configEpoch): void {
    for (const sentinel of this.sentinels) {
      sentinel.flags = "master";
      sentinel.switchTo(master.address, configEpoch, masterName);
    }
  }

  /** All Sentinels see the master that they name down. */
  seesDown(): void {
    for (const sentinel of this.sentinels) sentinel.flags = "s_down,master";
  }

  async stop(): Promise<void> {
    await Promise.all([...this.redis, ...this.sentinels].map((server) => server.stop()));
  }
}
