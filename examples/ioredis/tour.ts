// What applications do with Redis, each in its usual form for ioredis.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Redis } from "ioredis";

type Step = (redis: Redis, key: string) => Promise<void>;

/** The steps by name; each fails when Redis gives something else than it should. */
const steps: Record<string, Step> = {
  async "set and get"(redis, key) {
    await redis.set(key, "value", "EX", 60);
    assert.equal(await redis.get(key), "value");
  },

  async pipeline(redis, key) {
    await redis.del(key);
    const pipeline = redis.pipeline();
    for (let i = 0; i < 100; i++) pipeline.incr(key);
    const replies = await pipeline.exec();
    assert.deepEqual(
      replies,
      Array.from({ length: 100 }, (_, i) => [null, i + 1]),
    );
  },

  async transaction(redis, key) {
    const replies = await redis.multi().del(key).rpush(key, "a", "b").lrange(key, 0, -1).exec();
    assert.deepEqual(replies?.slice(1), [
      [null, 2],
      [null, ["a", "b"]],
    ]);
  },

  async watch(redis, key) {
    await redis.set(key, 1);
    // What is watched belongs to a connection: the transaction needs one that nobody else uses.
    const own = redis.duplicate();
    let attempts = 0;
    let replies: unknown[] | null = null;
    while (replies === null) {
      attempts++;
      await own.watch(key);
      const value = Number(await own.get(key));
      if (attempts === 1) await redis.incr(key); // somebody else was faster: this attempt must not win
      replies = await own
        .multi()
        .set(key, value * 10)
        .exec();
    }
    own.disconnect();
    assert.deepEqual([attempts, await redis.get(key)], [2, "20"]);
  },

  async "publish and subscribe"(redis, key) {
    const subscriber = redis.duplicate();
    await subscriber.subscribe(key);
    const message = once(subscriber, "message");
    await redis.publish(key, "hello");
    assert.deepEqual(await message, [key, "hello"]);
    subscriber.disconnect();
  },

  async "blocking pop"(redis, key) {
    await redis.del(key);
    // It would make all other commands of its connection wait.
    const waiting = redis.duplicate();
    setTimeout(() => void redis.rpush(key, "job"), 100);
    assert.deepEqual(await waiting.blpop(key, 4), [key, "job"]);
    waiting.disconnect();
  },

  async script(redis, key) {
    redis.defineCommand("add", { numberOfKeys: 1, lua: "return redis.call('INCRBY', KEYS[1], ARGV[1])" });
    await redis.set(key, 40);
    // Defined commands are methods that TypeScript doesn't know.
    const { add } = redis as unknown as { add(key: string, by: number): Promise<number> };
    assert.equal(await add.call(redis, key, 2), 42);
  },

  async "big value"(redis, key) {
    const value = randomBytes(2 * 1024 * 1024);
    await redis.set(key, value, "EX", 60);
    assert.ok((await redis.getBuffer(key))?.equals(value), "another value came back");
  },
};

/** Runs all of them and gives the name of each that is done. */
export async function* tour(redis: Redis, prefix: string): AsyncGenerator<string> {
  for (const [name, step] of Object.entries(steps)) {
    await step(redis, `${prefix}:${name.replaceAll(" ", "_")}`);
    yield name;
  }
}
