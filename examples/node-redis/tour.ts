// What applications do with Redis, each in its usual form for node-redis.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { RESP_TYPES, WatchError } from "redis";
import { type Client, createRedis } from "./connect.ts";

type Step = (redis: Client, key: string) => Promise<void>;

/** The steps by name; each fails when Redis gives something else than it should. */
const steps: Record<string, Step> = {
  async "set and get"(redis, key) {
    await redis.set(key, "value", { expiration: { type: "EX", value: 60 } });
    assert.equal(await redis.get(key), "value");
  },

  async pipeline(redis, key) {
    await redis.del(key);
    const pipeline = redis.multi();
    for (let i = 0; i < 100; i++) pipeline.incr(key);
    const replies = await pipeline.execAsPipeline();
    assert.deepEqual(
      replies,
      Array.from({ length: 100 }, (_, i) => i + 1),
    );
  },

  async transaction(redis, key) {
    const replies = await redis.multi().del(key).rPush(key, ["a", "b"]).lRange(key, 0, -1).exec();
    assert.deepEqual(replies.slice(1), [2, ["a", "b"]]);
  },

  async watch(redis, key) {
    await redis.set(key, 1);
    let attempts = 0;
    const multiply = async (own: OwnConnection): Promise<void> => {
      for (;;) {
        attempts++;
        await own.watch(key);
        const value = Number(await own.get(key));
        if (attempts === 1) await other.incr(key); // somebody else was faster: this attempt must not win
        try {
          await own
            .multi()
            .set(key, value * 10)
            .exec();
          return;
        } catch (error) {
          if (!(error instanceof WatchError)) throw error;
        }
      }
    };
    const other = await connected();
    await withOwnConnection(redis, multiply);
    await other.close();
    assert.deepEqual([attempts, await redis.get(key)], [2, "20"]);
  },

  async "publish and subscribe"(redis, key) {
    const subscriber = await connected();
    const message = Promise.withResolvers<string>();
    await subscriber.subscribe(key, message.resolve);
    await redis.publish(key, "hello");
    assert.equal(await message.promise, "hello");
    await subscriber.close();
  },

  async "blocking pop"(redis, key) {
    await redis.del(key);
    // It would make all other commands of its connection wait.
    const waiting = await connected();
    setTimeout(() => void redis.rPush(key, "job"), 100);
    assert.deepEqual({ ...(await waiting.blPop(key, 4)) }, { key, element: "job" });
    await waiting.close();
  },

  async script(redis, key) {
    await redis.set(key, 40);
    const script = "return redis.call('INCRBY', KEYS[1], ARGV[1])";
    assert.equal(await redis.eval(script, { keys: [key], arguments: ["2"] }), 42);
  },

  async "big value"(redis, key) {
    const value = randomBytes(2 * 1024 * 1024);
    await redis.set(key, value, { expiration: { type: "EX", value: 60 } });
    const bytes = redis.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
    assert.ok((await bytes.get(key))?.equals(value), "another value came back");
  },
};

interface OwnConnection {
  watch(key: string): Promise<unknown>;
  get(key: string): Promise<string | null>;
  multi(): { set(key: string, value: number): { exec(): Promise<unknown> } };
}

/** What is watched belongs to a connection: the transaction needs one that nobody else uses meanwhile. */
async function withOwnConnection(redis: Client, work: (own: OwnConnection) => Promise<void>): Promise<void> {
  if ("use" in redis) return redis.use(work);
  const own = await redis.duplicate().connect();
  await work(own);
  await own.close();
}

async function connected(): Promise<Client> {
  return createRedis()
    .on("error", (error) => console.error(error))
    .connect();
}

/** Runs all of them and gives the name of each that is done. */
export async function* tour(redis: Client, prefix: string): AsyncGenerator<string> {
  for (const [name, step] of Object.entries(steps)) {
    await step(redis, `${prefix}:${name.replaceAll(" ", "_")}`);
    yield name;
  }
}
